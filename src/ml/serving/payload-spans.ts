import type { PayloadSpan } from "../../events.ts"
import { BENIGN, bucketScale, CLASS_COUNT } from "../models/linear-softmax.ts"
import type { ByteText } from "../text/byte-text.ts"
import { BUCKETS, type PayloadFeatures } from "../text/payload-features.ts"

export interface Attribution {
  /** Bytes of the normalised text. */
  readonly length: number
  /** [BUCKETS x CLASS_COUNT] */
  readonly weights: Float32Array
  /** Index of the class that is explained, against benign. */
  readonly target: number
}

/**
 * Shares the Shapley value of every bucket among the bytes of its occurrences. The sum over all
 * bytes is the sum over all buckets: nothing is lost.
 *
 * @returns log-odds by byte of the normalised text
 */
export function attributeBytes(features: PayloadFeatures, attribution: Attribution): Float64Array {
  const { length, weights, target } = attribution
  const perByte = new Float64Array(length)
  countOccurrences(features)
  const scale = bucketScale(features.bucketCount)
  for (let i = 0; i < features.occurrenceCount; i++) {
    const bucket = features.occurrenceBuckets[i] ?? 0
    const row = bucket * CLASS_COUNT
    const value = ((weights[row + target] ?? 0) - (weights[row + BENIGN] ?? 0)) * scale
    const from = features.occurrenceStarts[i] ?? 0
    const to = features.occurrenceEnds[i] ?? 0
    const share = value / (times[bucket] ?? 1) / (to - from)
    for (let at = from; at < to; at++) perByte[at] = (perByte[at] ?? 0) + share
  }
  forgetOccurrences(features)
  return perByte
}

/** By bucket; all zero between two calls, for to make it anew costs more than an explanation. */
const times = new Uint16Array(BUCKETS)

function countOccurrences(features: PayloadFeatures): void {
  for (let i = 0; i < features.occurrenceCount; i++) {
    const bucket = features.occurrenceBuckets[i] ?? 0
    times[bucket] = (times[bucket] ?? 0) + 1
  }
}

function forgetOccurrences(features: PayloadFeatures): void {
  for (let i = 0; i < features.occurrenceCount; i++) times[features.occurrenceBuckets[i] ?? 0] = 0
}

type Span = Omit<PayloadSpan, "payload_id">

/** Bytes below this share of the largest are no reason to begin a span of their own. */
const NEGLIGIBLE = 0.05

/**
 * Joins neighbouring bytes that push the same way into spans of the payload as received.
 *
 * @returns at most `spansMax`, the weightiest first
 */
export function spansOf(
  perByte: Float64Array,
  options: { text: ByteText; original: string; spansMax: number },
): readonly Span[] {
  const { text, original, spansMax } = options
  const largest = perByte.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  const spans: Span[] = []
  for (let at = 0; at < perByte.length; ) {
    const to = runEnd(perByte, at, largest * NEGLIGIBLE)
    const value = sum(perByte, at, to)
    const start = text.starts[at] ?? 0
    const end = text.ends[to - 1] ?? start
    if (value !== 0) spans.push({ start, end, text: original.slice(start, end), shap_value: value })
    at = to
  }
  return spans
    .sort((left, right) => Math.abs(right.shap_value) - Math.abs(left.shap_value))
    .slice(0, spansMax)
}

/** End of the run at `from` of one sign; negligible bytes belong to whatever run they are in. */
function runEnd(values: Float64Array, from: number, negligible: number): number {
  let sign = 0
  let to = from
  for (; to < values.length; to++) {
    const value = values[to] ?? 0
    if (Math.abs(value) <= negligible) continue
    if (sign !== 0 && Math.sign(value) !== sign) break
    sign = Math.sign(value)
  }
  return to
}

function sum(values: Float64Array, from: number, to: number): number {
  let total = 0
  for (let at = from; at < to; at++) total += values[at] ?? 0
  return total
}
