import {
  type Classification,
  PAYLOAD_CLASSES,
  type PayloadClass,
  type PayloadSpan,
} from "../../events.ts"
import type { ModelInfo, PayloadClassifier, PayloadInput } from "../../ports.ts"
import { calibrate } from "../models/attack-calibration.ts"
import type { LinearModel } from "../models/linear-onnx.ts"
import {
  attackLogOdds,
  BENIGN,
  CLASS_COUNT,
  computeLogits,
  type SparseRow,
  spreadLogOdds,
} from "../models/linear-softmax.ts"
import type { ByteText } from "../text/byte-text.ts"
import { Normalizer } from "../text/normalize.ts"
import { type FeatureWindow, PayloadFeatures } from "../text/payload-features.ts"
import { windowAt, windowCount } from "../text/windows.ts"
import { attributeBytes, spansOf } from "./payload-spans.ts"

const SPANS_MAX_DEFAULT = 8

/**
 * The linear payload model, evaluated in plain TypeScript from the ONNX file's own weights.
 *
 * A text longer than a window is judged by its window that is most like an attack, so padding
 * does not dilute one. Texts are read up to TEXT_CHARS_MAX characters. Holds its workspace: one
 * instance serves one thread, which synchronous calls guarantee.
 */
export class LinearPayloadClassifier implements PayloadClassifier {
  readonly info: ModelInfo
  readonly certainThreshold: number
  readonly thresholds: Readonly<Record<string, number>>
  readonly #model: LinearModel
  readonly #normalizer = new Normalizer()
  readonly #features = new PayloadFeatures()
  readonly #logits = new Float64Array(CLASS_COUNT)
  readonly #probabilities = new Float64Array(CLASS_COUNT)
  readonly #chosen = new Float64Array(CLASS_COUNT)

  constructor(model: LinearModel, info: ModelInfo) {
    this.#model = model
    this.info = info
    this.certainThreshold = model.certainThreshold
    this.thresholds = model.thresholds
  }

  classify(input: PayloadInput): Classification {
    this.#judge(input)
    return this.#classification()
  }

  /**
   * Exact Shapley values of the linear model against the empty text, in log-odds of the predicted
   * class against benign (of the strongest attack for a benign text), for what stands in the text:
   * each n-gram's value is shared by the characters it covers. Dense features have no place in the
   * text and are left out. The log-odds are those before calibration, in which the model is linear.
   */
  explain(
    input: PayloadInput,
    spansMax: number = SPANS_MAX_DEFAULT,
  ): readonly Omit<PayloadSpan, "payload_id">[] {
    const { text, window } = this.#judge(input)
    const target = strongest(this.#probabilities, this.#classification().class === "benign")
    this.#features.computeTraced(text, this.#window(text, window, input))
    const perByte = attributeBytes(this.#features, {
      length: text.length,
      weights: this.#model.weights.buckets,
      target,
    })
    return spansOf(perByte, { text, original: input.text, spansMax })
  }

  /** The probabilities of a text's first window alone: what one row of the ONNX graph computes. */
  firstWindowProbabilities(input: PayloadInput): Float64Array {
    const text = this.#normalizer.normalize(input.text)
    const margin = this.#scoreWindow(text, 0, input)
    const logOdds = calibrate(this.#model.calibration, margin, windowCount(text.length))
    spreadLogOdds(this.#logits, logOdds, this.#probabilities)
    return this.#probabilities.slice()
  }

  /** Leaves the probabilities by the most attack-like window in `#probabilities`. */
  #judge(input: PayloadInput): { text: ByteText; window: number } {
    const text = this.#normalizer.normalize(input.text)
    const windows = windowCount(text.length)
    let largest = Number.NEGATIVE_INFINITY
    let chosen = 0
    for (let window = 0; window < windows; window++) {
      const margin = this.#scoreWindow(text, window, input)
      if (margin <= largest) continue
      largest = margin
      chosen = window
      this.#chosen.set(this.#logits)
    }
    const logOdds = calibrate(this.#model.calibration, largest, windows)
    spreadLogOdds(this.#chosen, logOdds, this.#probabilities)
    return { text, window: chosen }
  }

  /** @returns log-odds of attack, not calibrated; the logits are left in `#logits` */
  #scoreWindow(text: ByteText, window: number, input: PayloadInput): number {
    this.#features.compute(text, this.#window(text, window, input))
    computeLogits(this.#model.weights, this.#row(), this.#logits)
    return attackLogOdds(this.#logits)
  }

  #window(text: ByteText, window: number, { kind }: PayloadInput): FeatureWindow {
    return { ...windowAt(text.length, window), undone: this.#normalizer.undone, kind }
  }

  #row(): SparseRow {
    const { buckets, bucketCount, dense } = this.#features
    return { buckets, bucketsFrom: 0, bucketsTo: bucketCount, dense: dense.values, denseFrom: 0 }
  }

  #classification(): Classification {
    const values = this.#probabilities
    let best = 0
    for (let index = 1; index < CLASS_COUNT; index++) {
      if ((values[index] ?? 0) > (values[best] ?? 0)) best = index
    }
    return {
      class: PAYLOAD_CLASSES[best] ?? "benign",
      confidence: values[best] ?? 0,
      probabilities: probabilitiesByName(values),
      method: "ml",
      model: this.info.modelId,
    }
  }
}

/** Written out: an object that grows name by name costs as much as a tenth of the whole judgement. */
function probabilitiesByName(values: Float64Array): Record<PayloadClass, number> {
  return {
    sql_injection: values[0] ?? 0,
    xss: values[1] ?? 0,
    command_injection: values[2] ?? 0,
    path_traversal: values[3] ?? 0,
    other_attack: values[4] ?? 0,
    benign: values[5] ?? 0,
  }
}

/** The likeliest class; with `attackOnly` the likeliest that is not benign. */
function strongest(probabilities: Float64Array, attackOnly: boolean): number {
  let best = -1
  for (let c = 0; c < CLASS_COUNT; c++) {
    if (attackOnly && c === BENIGN) continue
    if (best < 0 || (probabilities[c] ?? 0) > (probabilities[best] ?? 0)) best = c
  }
  return best
}
