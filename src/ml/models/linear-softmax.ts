import { PAYLOAD_CLASSES } from "../../events.ts"
import { DENSE_COUNT } from "../text/dense-features.ts"
import { BUCKETS } from "../text/payload-features.ts"

/** The hot loop below is written out for it: a further class does not compile. */
export const CLASS_COUNT = 6 satisfies (typeof PAYLOAD_CLASSES)["length"]
export const BENIGN: number = PAYLOAD_CLASSES.indexOf("benign")

/**
 * A multinomial logistic regression over hashed buckets and dense features:
 * logits = (sum of the buckets' rows) / sqrt(number of buckets) + dense . W + bias.
 */
export interface LinearWeights {
  /** [BUCKETS x CLASS_COUNT], a bucket's row together. */
  readonly buckets: Float32Array
  /** [DENSE_COUNT x CLASS_COUNT] */
  readonly dense: Float32Array
  /** [CLASS_COUNT] */
  readonly bias: Float32Array
}

export function zeroWeights(): LinearWeights {
  return {
    buckets: new Float32Array(BUCKETS * CLASS_COUNT),
    dense: new Float32Array(DENSE_COUNT * CLASS_COUNT),
    bias: new Float32Array(CLASS_COUNT),
  }
}

/** Features of one window, as stretches of larger arrays so that none is copied. */
export interface SparseRow {
  readonly buckets: Uint16Array
  readonly bucketsFrom: number
  readonly bucketsTo: number
  readonly dense: Float32Array
  readonly denseFrom: number
}

/** The factor by which the buckets' sum is divided: keeps long and short texts comparable. */
export function bucketScale(bucketCount: number): number {
  return 1 / Math.sqrt(Math.max(1, bucketCount))
}

/**
 * Writes the logits of a row into `logits` [CLASS_COUNT]. The hot loop: six sums by hand, each declared
 * by itself: what an array pattern declares is boxed, which made the whole three times as slow.
 */
export function computeLogits(weights: LinearWeights, row: SparseRow, logits: Float64Array): void {
  const { buckets, bucketsFrom, bucketsTo } = row
  const table = weights.buckets
  let sum0 = 0
  let sum1 = 0
  let sum2 = 0
  let sum3 = 0
  let sum4 = 0
  let sum5 = 0
  for (let i = bucketsFrom; i < bucketsTo; i++) {
    const at = (buckets[i] ?? 0) * 6
    sum0 += table[at] ?? 0
    sum1 += table[at + 1] ?? 0
    sum2 += table[at + 2] ?? 0
    sum3 += table[at + 3] ?? 0
    sum4 += table[at + 4] ?? 0
    sum5 += table[at + 5] ?? 0
  }
  const scale = bucketScale(bucketsTo - bucketsFrom)
  logits[0] = sum0 * scale
  logits[1] = sum1 * scale
  logits[2] = sum2 * scale
  logits[3] = sum3 * scale
  logits[4] = sum4 * scale
  logits[5] = sum5 * scale
  addDense(weights, row, logits)
}

/**
 * Sums by hand as well. Zeros, most of the values, are added like all others: to pass over them is a
 * branch that no processor foresees, and cost ten times as much.
 */
function addDense(weights: LinearWeights, row: SparseRow, logits: Float64Array): void {
  const { dense: table, bias } = weights
  const { dense: values, denseFrom } = row
  let sum0 = logits[0] as number
  let sum1 = logits[1] as number
  let sum2 = logits[2] as number
  let sum3 = logits[3] as number
  let sum4 = logits[4] as number
  let sum5 = logits[5] as number
  for (let feature = 0; feature < DENSE_COUNT; feature++) {
    const value = values[denseFrom + feature] as number
    const at = feature * 6
    sum0 += value * (table[at] as number)
    sum1 += value * (table[at + 1] as number)
    sum2 += value * (table[at + 2] as number)
    sum3 += value * (table[at + 3] as number)
    sum4 += value * (table[at + 4] as number)
    sum5 += value * (table[at + 5] as number)
  }
  logits[0] = sum0 + (bias[0] as number)
  logits[1] = sum1 + (bias[1] as number)
  logits[2] = sum2 + (bias[2] as number)
  logits[3] = sum3 + (bias[3] as number)
  logits[4] = sum4 + (bias[4] as number)
  logits[5] = sum5 + (bias[5] as number)
}

/** How much logits speak for a class rather than benign; for benign itself: for any attack. */
export function attackMargin(logits: Float64Array, label: number): number {
  const benign = logits[BENIGN] ?? 0
  if (label !== BENIGN) return (logits[label] ?? 0) - benign
  let largest = Number.NEGATIVE_INFINITY
  for (let c = 0; c < CLASS_COUNT; c++) {
    if (c !== BENIGN) largest = Math.max(largest, logits[c] ?? 0)
  }
  return largest - benign
}

/** Log-odds of any attack against benign. */
export function attackLogOdds(logits: Float64Array): number {
  const largest = largestOfAttacks(logits)
  let total = 0
  for (let c = 0; c < BENIGN; c++) total += Math.exp((logits[c] as number) - largest)
  return largest + Math.log(total) - (logits[BENIGN] as number)
}

/** Subtracted from all, so that no power overflows. Benign is the last class. */
function largestOfAttacks(logits: Float64Array): number {
  let largest = Number.NEGATIVE_INFINITY
  for (let c = 0; c < BENIGN; c++) largest = Math.max(largest, logits[c] as number)
  return largest
}

/**
 * Writes probabilities [CLASS_COUNT] in which all attacks together have the given log-odds, shared
 * among them as the logits have it.
 */
export function spreadLogOdds(
  logits: Float64Array,
  logOdds: number,
  probabilities: Float64Array,
): void {
  const largest = largestOfAttacks(logits)
  let total = 0
  for (let c = 0; c < BENIGN; c++) {
    const power = Math.exp((logits[c] as number) - largest)
    probabilities[c] = power
    total += power
  }
  const share = 1 / (1 + Math.exp(-logOdds)) / total
  for (let c = 0; c < BENIGN; c++) probabilities[c] = (probabilities[c] as number) * share
  probabilities[BENIGN] = 1 / (1 + Math.exp(logOdds))
}

/** Softmax of `logits / temperature` into `probabilities`; both [CLASS_COUNT]. */
export function softmax(
  logits: Float64Array,
  temperature: number,
  probabilities: Float64Array,
): void {
  let largest = Number.NEGATIVE_INFINITY
  for (let c = 0; c < CLASS_COUNT; c++) largest = Math.max(largest, logits[c] ?? 0)
  let total = 0
  for (let c = 0; c < CLASS_COUNT; c++) {
    const power = Math.exp(((logits[c] ?? 0) - largest) / temperature)
    probabilities[c] = power
    total += power
  }
  for (let c = 0; c < CLASS_COUNT; c++) probabilities[c] = (probabilities[c] ?? 0) / total
}
