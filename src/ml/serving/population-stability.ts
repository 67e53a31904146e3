/** Bins of P(attack) over which populations are compared: tenths. */
export const SCORE_BINS = 10
/** Keeps an empty bin from making the index infinite. */
const SHARE_MIN = 0.0001

/** @param probability 0..1 */
export function scoreBin(probability: number): number {
  const bin = (probability * SCORE_BINS) | 0
  return bin < 0 ? 0 : bin >= SCORE_BINS ? SCORE_BINS - 1 : bin
}

/**
 * The population stability index of two histograms over the same bins: the sum of
 * (actual - expected) * ln(actual / expected) over their shares. Below 0.1 is stable, from 0.25 on
 * something has changed, by the custom of credit scoring (Siddiqi, Credit Risk Scorecards, 2006).
 *
 * @param expected,actual counts by bin
 * @returns undefined where either is empty: nothing can be said
 */
export function populationStability(
  expected: ArrayLike<number>,
  actual: ArrayLike<number>,
): number | undefined {
  const [expectedTotal, actualTotal] = [total(expected), total(actual)]
  if (expectedTotal === 0 || actualTotal === 0) return undefined
  let index = 0
  for (let bin = 0; bin < expected.length; bin++) {
    const before = Math.max(SHARE_MIN, (expected[bin] ?? 0) / expectedTotal)
    const after = Math.max(SHARE_MIN, (actual[bin] ?? 0) / actualTotal)
    index += (after - before) * Math.log(after / before)
  }
  return index
}

function total(counts: ArrayLike<number>): number {
  let sum = 0
  for (let bin = 0; bin < counts.length; bin++) sum += counts[bin] ?? 0
  return sum
}
