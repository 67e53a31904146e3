import type { Classification } from "../../events.ts"
import type { PayloadClassifier, PayloadInput } from "../../ports.ts"
import type { Field } from "../fields/field.ts"
import { splitFields } from "../fields/split-fields.ts"
import { combineLogOdds, pooledProbabilities } from "./combine-fields.ts"

const SPANS_MAX_DEFAULT = 8

type Spans = ReturnType<PayloadClassifier["explain"]>

/** A field with what the classifier said of it alone. */
interface JudgedField {
  readonly field: Field
  readonly classification: Classification
}

/**
 * Judges a text that holds fields (a request, query, form, JSON document, ...) by the worst of them
 * beside the whole: ordinary traffic looks less like an attack field by field, and an attack among
 * many fields more like one. A text that is one field is the base's alone, at the cost of one scan.
 *
 * A text of nothing but white space is benign by rule: there is nothing in it to judge.
 *
 * Works on any base. `info` and both thresholds are the base's own.
 */
export function fieldwiseClassifier(base: PayloadClassifier): PayloadClassifier {
  return {
    info: base.info,
    certainThreshold: base.certainThreshold,
    ...(base.thresholds && { thresholds: base.thresholds }),
    classify(input) {
      const whole = base.classify(input)
      if (isBlank(input)) return certainlyBenign(whole)
      const worst = worstField(input, base)
      return worst === undefined ? whole : pooled(whole, worst.classification)
    },
    explain: (input, spansMax) => (isBlank(input) ? [] : explain(input, base, spansMax)),
  }
}

function isBlank({ text }: PayloadInput): boolean {
  return text.trim() === ""
}

/** The base is asked all the same, for it knows the names of the classes. */
function certainlyBenign({ probabilities, model }: Classification): Classification {
  const none = Object.keys(probabilities).map((name) => [name, 0] as const)
  return {
    class: "benign",
    confidence: 1,
    probabilities: { ...Object.fromEntries(none), benign: 1 },
    method: "rules",
    model,
  }
}

/** undefined for a text that holds no fields. */
function worstField({ text, kind }: PayloadInput, base: PayloadClassifier) {
  let worst: JudgedField | undefined
  for (const field of splitFields(text, kind)) {
    const classification = base.classify({ text: field.text, kind: field.kind })
    const benign = worst?.classification.probabilities.benign ?? Number.POSITIVE_INFINITY
    if ((classification.probabilities.benign ?? 0) < benign) worst = { field, classification }
  }
  return worst
}

function pooled(whole: Classification, worst: Classification): Classification {
  const probabilities = pooledProbabilities(whole.probabilities, worst.probabilities)
  let name = "benign"
  let confidence = probabilities.benign ?? 0
  for (const [key, probability] of Object.entries(probabilities)) {
    if (probability > confidence) [name, confidence] = [key, probability]
  }
  return { ...whole, class: name, confidence, probabilities }
}

/**
 * The spans of the worst field, at their place in the whole text, and what the whole has outside of
 * it; where the whole alone decided, its spans.
 */
function explain(
  input: PayloadInput,
  base: PayloadClassifier,
  spansMax: number = SPANS_MAX_DEFAULT,
): Spans {
  const worst = worstField(input, base)
  const ofWhole = base.explain(input, spansMax)
  if (worst === undefined) return ofWhole
  const { field, classification } = worst
  const odds = combineLogOdds(base.classify(input).probabilities, classification.probabilities)
  if (odds.wholeDecides) return ofWhole
  const ofField = base
    .explain({ text: field.text, kind: field.kind }, spansMax)
    .map((span) => placed(span, field, input.text))
  const outside = ofWhole.filter(({ start, end }) => end <= field.start || start >= field.end)
  const weighted = outside.map((span) => ({ ...span, shap_value: span.shap_value * odds.share }))
  return [...ofField, ...weighted]
    .sort((left, right) => Math.abs(right.shap_value) - Math.abs(left.shap_value))
    .slice(0, spansMax)
}

function placed(span: Spans[number], { source }: Field, whole: string): Spans[number] {
  const start = source.position(span.start)
  const end = source.position(span.end)
  return { ...span, start, end, text: whole.slice(start, end) }
}
