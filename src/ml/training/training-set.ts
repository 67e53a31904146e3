import type { LabelledPayload } from "../evaluation/labelled-payloads.ts"
import {
  attackLogOdds,
  BENIGN,
  CLASS_COUNT,
  computeLogits,
  type LinearWeights,
} from "../models/linear-softmax.ts"
import { ExampleSet } from "./example-set.ts"
import type { ScoredText } from "./fit-calibration.ts"

/** The fold of rows that are always learnt from. */
const NO_FOLD = -1

/** All rows to learn from, featurised once for every model that learns from some of them. */
export class TrainingSet {
  readonly examples = new ExampleSet()
  readonly rows: LabelledPayload[] = []
  readonly #folds: number[] = []

  /** @param fold the rows are left out together with others of it; default never */
  add(rows: readonly LabelledPayload[], fold: number = NO_FOLD): void {
    for (const row of rows) {
      this.rows.push(row)
      this.#folds.push(fold)
      this.examples.add(row)
    }
  }

  /** The examples of a fold, or those of all others. */
  select(fold: number, which: "in" | "out"): Int32Array {
    return Int32Array.from(this.#folds.keys()).filter(
      (example) => (this.#folds[example] === fold) === (which === "in"),
    )
  }

  /** How much the most attack-like window of each example looks like an attack; each weighs 1. */
  score(weights: LinearWeights, examples: Int32Array): readonly ScoredText[] {
    return Array.from(examples, (example) => this.#score(weights, example))
  }

  #score(weights: LinearWeights, example: number): ScoredText {
    const logits = new Float64Array(CLASS_COUNT)
    let margin = Number.NEGATIVE_INFINITY
    const { from, to } = this.examples.windowsOf(example)
    for (let window = from; window < to; window++) {
      computeLogits(weights, this.examples.row(window), logits)
      margin = Math.max(margin, attackLogOdds(logits))
    }
    const attack = this.examples.labels[example] !== BENIGN
    return { margin, windows: to - from, attack, weight: 1 }
  }
}
