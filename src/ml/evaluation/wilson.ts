import type { Interval } from "./bootstrap.ts"

/** Two-sided 95%. */
const Z = 1.959_963_984_540_054

/**
 * The 95% interval of a share counted as `hits` of `total`; [0, 1] where nothing was counted. It
 * takes the counted things for independent of each other.
 *
 * @see Wilson 1927, "Probable inference, the law of succession, and statistical inference"
 */
export function wilsonInterval(count: { readonly hits: number; readonly total: number }): Interval {
  const { hits, total } = count
  if (total === 0) return { low: 0, high: 1 }
  const share = hits / total
  const square = (Z * Z) / total
  const middle = (share + square / 2) / (1 + square)
  const half = (Z * Math.sqrt((share * (1 - share) + square / 4) / total)) / (1 + square)
  return { low: Math.max(0, middle - half), high: Math.min(1, middle + half) }
}
