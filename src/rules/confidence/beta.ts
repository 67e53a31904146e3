const TERMS_MAX = 300
const PRECISION = 1e-14
const TINY = 1e-300

/**
 * The regularised incomplete beta function I_x(a, b): P(p <= x) for p distributed Beta(a, b).
 *
 * By its continued fraction with the modified method of Lentz.
 * @param x 0..1; a, b > 0
 * @see Abramowitz and Stegun, Handbook of Mathematical Functions, 26.5.8
 */
export function betaCumulative(x: number, { a, b }: { a: number; b: number }): number {
  if (x <= 0) return 0
  if (x >= 1) return 1
  // the fraction converges fast on the left of the mean only
  if (x > (a + 1) / (a + b + 2)) return 1 - betaCumulative(1 - x, { a: b, b: a })
  const front = Math.exp(a * Math.log(x) + b * Math.log1p(-x) - logBeta(a, b))
  return (front / a) * continuedFraction(x, a, b)
}

function continuedFraction(x: number, a: number, b: number): number {
  let c = 1
  let d = 1 / away(1 - ((a + b) * x) / (a + 1))
  let product = d
  for (let m = 1; m <= TERMS_MAX; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    let change = 1
    for (const term of [even, odd]) {
      d = 1 / away(1 + term * d)
      c = away(1 + term / c)
      change = c * d
      product *= change
    }
    if (Math.abs(change - 1) < PRECISION) return product
  }
  return product
}

function away(value: number): number {
  return Math.abs(value) < TINY ? TINY : value
}

export function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b)
}

/** Stirling's series, after the argument was raised to where it is exact. */
function logGamma(value: number): number {
  let raised = value
  let shift = 0
  for (; raised < 12; raised++) shift -= Math.log(raised)
  const inverse = 1 / (raised * raised)
  const series = (1 / 12 - inverse * (1 / 360 - inverse * (1 / 1_260 - inverse / 1_680))) / raised
  return shift + (raised - 0.5) * Math.log(raised) - raised + 0.5 * Math.log(2 * Math.PI) + series
}
