import type { LabelledPayload } from "../evaluation/labelled-payloads.ts"

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
