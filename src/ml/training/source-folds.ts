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

/**
 * Splits sources into folds of about equal size, whole sources together: what a fold is scored by
 * has then seen none of its sources.
 *
 * @returns the fold (0 .. folds - 1) of each source
 */
export function foldSources(
  rows: readonly LabelledPayload[],
  folds: number,
): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>()
  for (const { source } of rows) sizes.set(source, (sizes.get(source) ?? 0) + 1)
  const largestFirst = [...sizes].sort(
    ([leftName, left], [rightName, right]) => right - left || (leftName < rightName ? -1 : 1),
  )
  const placed = new Map<string, number>()
  const totals = new Array<number>(folds).fill(0)
  for (const [source, size] of largestFirst) {
    const fold = totals.indexOf(Math.min(...totals))
    placed.set(source, fold)
    totals[fold] = (totals[fold] ?? 0) + size
  }
  return placed
}

/** How much each row's most attack-like window looks like an attack; every weight is 1. */
export function scoreRows(
  weights: LinearWeights,
  rows: readonly LabelledPayload[],
): readonly ScoredText[] {
  const examples = new ExampleSet()
  for (const row of rows) examples.add(row)
  return rows.map((_, index) => scoreExample(weights, examples, index))
}

function scoreExample(weights: LinearWeights, examples: ExampleSet, index: number): ScoredText {
  const logits = new Float64Array(CLASS_COUNT)
  let margin = Number.NEGATIVE_INFINITY
  const { from, to } = examples.windowsOf(index)
  for (let window = from; window < to; window++) {
    computeLogits(weights, examples.row(window), logits)
    margin = Math.max(margin, attackLogOdds(logits))
  }
  return { margin, windows: to - from, attack: examples.labels[index] !== BENIGN, weight: 1 }
}
