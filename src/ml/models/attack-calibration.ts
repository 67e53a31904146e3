/**
 * What a margin (log-odds of attack against benign, as the weights have it) is really worth: a
 * monotone function of straight pieces, `offset + slope * x + sum of changes[k] * max(0, x - knots[k])`
 * with `x = margin - windowPenalty * ln(windows)`. The result is calibrated log-odds.
 *
 * The more windows a text has, the larger the largest of their margins by chance alone: the penalty
 * takes that back.
 */
export interface AttackCalibration {
  readonly windowPenalty: number
  readonly offset: number
  readonly slope: number
  /** Ascending. */
  readonly knots: Float32Array
  /** Change of the slope at each knot; no sum of the slopes so far is ever below 0. */
  readonly changes: Float32Array
}

/** Leaves margins as they are. */
export const NO_CALIBRATION: AttackCalibration = {
  windowPenalty: 0,
  offset: 0,
  slope: 1,
  knots: Float32Array.of(0),
  changes: Float32Array.of(0),
}

/** @returns calibrated log-odds of the most attack-like of `windows` windows */
export function calibrate(calibration: AttackCalibration, margin: number, windows: number): number {
  const { windowPenalty, offset, slope, knots, changes } = calibration
  const x = margin - windowPenalty * Math.log(windows)
  let result = offset + slope * x
  for (let k = 0; k < knots.length; k++) {
    const beyond = x - (knots[k] ?? 0)
    if (beyond <= 0) break
    result += (changes[k] ?? 0) * beyond
  }
  return result
}
