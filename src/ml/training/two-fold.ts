import type { LabelledPayload } from "../evaluation/labelled-payloads.ts"
import {
  attackMargin,
  BENIGN,
  CLASS_COUNT,
  computeLogits,
  type LinearWeights,
} from "../models/linear-softmax.ts"
import type { ScoredExample } from "./calibrate.ts"
import { ExampleSet } from "./example-set.ts"

/**
 * Splits sources in two halves of about equal size, whole sources together: what a half is scored
 * by has then seen none of its sources.
 *
 * @returns the half (0 or 1) of each source
 */
export function halveSources(rows: readonly LabelledPayload[]): ReadonlyMap<string, 0 | 1> {
  const sizes = new Map<string, number>()
  for (const { source } of rows) sizes.set(source, (sizes.get(source) ?? 0) + 1)
  const largestFirst = [...sizes].sort(
    ([leftName, left], [rightName, right]) => right - left || (leftName < rightName ? -1 : 1),
  )
  const halves = new Map<string, 0 | 1>()
  const totals: [number, number] = [0, 0]
  for (const [source, size] of largestFirst) {
    const half = totals[0] <= totals[1] ? 0 : 1
    halves.set(source, half)
    totals[half] += size
  }
  return halves
}

/** Logits of each row's most attack-like window. */
export function scoreRows(
  weights: LinearWeights,
  rows: readonly LabelledPayload[],
): readonly ScoredExample[] {
  const examples = new ExampleSet()
  for (const row of rows) examples.add(row)
  return rows.map((_, index) => scoreExample(weights, examples, index))
}

function scoreExample(weights: LinearWeights, examples: ExampleSet, index: number): ScoredExample {
  const logits = new Float64Array(CLASS_COUNT)
  let chosen = new Float64Array(CLASS_COUNT)
  let largest = Number.NEGATIVE_INFINITY
  const { from, to } = examples.windowsOf(index)
  for (let window = from; window < to; window++) {
    computeLogits(weights, examples.row(window), logits)
    const margin = attackMargin(logits, BENIGN)
    if (margin <= largest) continue
    largest = margin
    chosen = logits.slice()
  }
  return { logits: chosen, label: examples.labels[index] ?? 0 }
}
