import { PAYLOAD_CLASSES } from "../../events.ts"
import type { PayloadClassifier } from "../../ports.ts"
import { type EvaluationReport, summarize } from "../evaluation/evaluate-payloads.ts"
import type { LabelledPayload } from "../evaluation/labelled-payloads.ts"
import { BENIGN } from "../models/linear-softmax.ts"
import { isUnsure, poolTiers } from "../serving/combine-tiers.ts"

/** Reports of the same rows, by what judged them. */
export type TierReports = Readonly<Record<string, EvaluationReport>>

/**
 * The figures of the deep tier alone and, where a linear tier is given, of that one, of both
 * blended everywhere, and of both blended where the linear one is unsure.
 *
 * @param deep calibrated probabilities of the rows, each [classes], in the rows' order
 */
export function compareTiers(
  rows: readonly LabelledPayload[],
  deep: readonly Float64Array[],
  linear?: PayloadClassifier,
): TierReports {
  if (linear === undefined) return { deep: reportOf(rows, deep, "deep") }
  const first = rows.map((row) => probabilitiesOf(linear, row))
  const blended = first.map((one, index) => poolTiers(one, deep[index] ?? one))
  const cascade = first.map((one, index) =>
    isUnsure(1 - (one[BENIGN] ?? 0)) ? (blended[index] ?? one) : one,
  )
  return {
    linear: reportOf(rows, first, linear.info.modelId),
    deep: reportOf(rows, deep, "deep"),
    "blend everywhere": reportOf(rows, blended, "blend"),
    "blend where linear is unsure": reportOf(rows, cascade, "cascade"),
  }
}

function probabilitiesOf(classifier: PayloadClassifier, row: LabelledPayload): Float64Array {
  const { text, kind } = row
  const { probabilities } = classifier.classify(kind === undefined ? { text } : { text, kind })
  return Float64Array.from(PAYLOAD_CLASSES, (name) => probabilities[name] ?? 0)
}

function reportOf(
  rows: readonly LabelledPayload[],
  answers: readonly Float64Array[],
  model: string,
): EvaluationReport {
  const judged = rows.map(({ label, source }, index) => {
    const probabilities = answers[index] ?? new Float64Array(PAYLOAD_CLASSES.length)
    const confidence = Math.max(...probabilities)
    const predicted = PAYLOAD_CLASSES[probabilities.indexOf(confidence)] ?? "benign"
    const attackProbability = 1 - (probabilities[BENIGN] ?? 0)
    return { label, source, predicted, confidence, attackProbability }
  })
  return summarize(judged, model)
}
