import { ModelRefusedError } from "../../errors.ts"

/** Quantiles of the raw score over held-out ordinary sessions, ascending in both numbers. */
export type Quantiles = readonly { readonly quantile: number; readonly raw: number }[]

const LEVELS = [
  0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.95, 0.96, 0.97, 0.98, 0.985, 0.99,
  0.995, 0.998, 0.999, 1,
] as const

export function quantilesOf(scores: readonly number[]): Quantiles {
  const sorted = [...scores].sort((a, b) => a - b)
  return LEVELS.map((quantile) => {
    const index = Math.min(sorted.length - 1, Math.floor(quantile * sorted.length))
    return { quantile, raw: sorted[index] ?? 0 }
  })
}

/**
 * The link from the raw score to 0..1, monotone and piecewise linear: the most ordinary session
 * seen -> 0, the one at the quantile 1 - contamination -> 0.5, one as far above it as it is
 * above the most ordinary -> 1.
 */
export function calibrate(quantiles: Quantiles, contamination: number): (raw: number) => number {
  const lowest = rawAt(quantiles, 0)
  const middle = rawAt(quantiles, 1 - contamination)
  const half = middle - lowest
  if (!(half > 0)) throw new ModelRefusedError("its calibration is not ascending")
  return (raw) => Math.min(1, Math.max(0, (raw - lowest) / (2 * half)))
}

function rawAt(quantiles: Quantiles, quantile: number): number {
  const after = quantiles.findIndex((knot) => knot.quantile >= quantile)
  const right = quantiles[after]
  const left = quantiles[after - 1] ?? right
  if (left === undefined || right === undefined) {
    throw new ModelRefusedError("its calibration is incomplete")
  }
  const width = right.quantile - left.quantile
  const part = width === 0 ? 0 : (quantile - left.quantile) / width
  return left.raw + part * (right.raw - left.raw)
}

/** @throws ModelRefusedError unless the text is a list of ascending [quantile, raw] pairs */
export function parseQuantiles(text: string | undefined): Quantiles {
  const pairs: unknown = JSON.parse(text ?? "null")
  if (!Array.isArray(pairs)) throw new ModelRefusedError("it has no calibration")
  return pairs.map((pair: unknown) => {
    const [quantile, raw] = Array.isArray(pair) ? pair.map(Number) : []
    if (!Number.isFinite(quantile) || !Number.isFinite(raw)) {
      throw new ModelRefusedError("its calibration is malformed")
    }
    return { quantile: quantile ?? 0, raw: raw ?? 0 }
  })
}
