import type { OnnxTensor } from "../onnx/session.ts"
import type { Random } from "../random.ts"
import { WINDOW_BYTES } from "../text/payload-features.ts"
import { BYTES_PER_TOKEN } from "./byte-transformer.ts"
import type { ByteWindows } from "./byte-windows.ts"

/** Lengths are rounded up to it, so that few shapes occur and little is padding. */
const LENGTH_STEP = 32
const PADDING = 256
const BYTE_ROWS = 257
/** Buckets of the hashed grams of each length. */
const GRAM_BUCKETS = 4096
/** Lengths of the hashed grams that are looked up beside each byte. */
const GRAM_LENGTHS = [2, 3, 4] as const
const GRAMS = 1 + GRAM_LENGTHS.length
/** What a model must agree with to be fed these ids. */
export const GRAM_SCHEMA = `bytes 257, grams ${GRAM_LENGTHS.join(",")} of ${GRAM_BUCKETS} buckets, v1`
/** Added to the scores of padding: far below any real one, and exp of it is 0. */
const MASKED = -1e4

/** Rows of the embedding table: bytes, padding, then the buckets of each gram length. */
export const VOCABULARY = BYTE_ROWS + GRAM_LENGTHS.length * GRAM_BUCKETS
export const TOKENS_MAX = WINDOW_BYTES / BYTES_PER_TOKEN

export interface TextBatch {
  /** int64 [batch, bytes, GRAMS] */
  readonly ids: OnnxTensor
  /** float [batch, tokens] */
  readonly mask: OnnxTensor
}

/** Bytes to which a window of `length` bytes is padded: it depends on nothing else. */
export function paddedLength(length: number): number {
  return Math.max(1, Math.ceil(length / LENGTH_STEP)) * LENGTH_STEP
}

/** Makes tensors of windows of equal padded length. `drop` hides single bytes in training. */
export function textBatch(
  windows: ByteWindows,
  batch: Int32Array,
  drop?: { readonly random: Random; readonly probability: number },
): TextBatch {
  const bytes = paddedLength(windows.lengthOf(batch[0] ?? 0))
  const tokens = bytes / BYTES_PER_TOKEN
  const ids = new BigInt64Array(batch.length * bytes * GRAMS)
  const mask = new Float32Array(batch.length * tokens).fill(MASKED)
  // Ids are small and not negative: their low words are written, which spares a BigInt for each.
  const low = new Int32Array(ids.buffer)
  const padded = new Uint16Array(bytes)
  for (const [row, window] of batch.entries()) {
    const length = loadBytes(padded, windows.bytesOf(window))
    if (drop) dropBytes(padded, length, drop)
    writeIds(low, padded, row * bytes * GRAMS * 2)
    const visible = Math.max(1, Math.ceil(length / BYTES_PER_TOKEN))
    mask.fill(0, row * tokens, row * tokens + visible)
  }
  return {
    ids: { type: "int64", dims: [batch.length, bytes, GRAMS], data: ids },
    mask: { type: "float32", dims: [batch.length, tokens], data: mask },
  }
}

function loadBytes(padded: Uint16Array, bytes: Uint8Array): number {
  padded.fill(PADDING)
  for (const [index, byte] of bytes.entries()) padded[index] = isDigit(byte) ? 0x30 : byte
  return bytes.length
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}

function dropBytes(
  padded: Uint16Array,
  length: number,
  { random, probability }: { readonly random: Random; readonly probability: number },
): void {
  for (let index = 0; index < length; index++) {
    if (random.chance(probability)) padded[index] = PADDING
  }
}

/** Each byte's own row, then those of the grams that end at it. */
function writeIds(low: Int32Array, padded: Uint16Array, from: number): void {
  let at = from
  for (let index = 0; index < padded.length; index++) {
    low[at] = padded[index] ?? 0
    let gram = padded[index] ?? 0
    for (let part = 1; part < GRAMS; part++) {
      gram = Math.imul(gram, 0x01000193) ^ ((padded[index - part] ?? PADDING) + 1)
      low[at + 2 * part] = BYTE_ROWS + (part - 1) * GRAM_BUCKETS + bucketOf(gram)
    }
    at += 2 * GRAMS
  }
}

/** The high bits of a multiplicative hash. */
function bucketOf(gram: number): number {
  let hash = Math.imul(gram ^ (gram >>> 15), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash >>> 16) & (GRAM_BUCKETS - 1)
}
