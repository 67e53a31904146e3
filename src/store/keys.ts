import { MalformedError } from "../errors.ts"

/** Bytes of a sha256 digest: what an outside string of any length becomes as a key. */
export const DIGEST_BYTES = 32
export const TIME_BYTES = 8
/** The sortable tail of every index key: a time, then the digest that makes it unique. */
export const TAIL_BYTES = TIME_BYTES + DIGEST_BYTES

/** sha256 of `text` in UTF-8: a key that no outside string can make too long or forge. */
export function digestKey(text: string | Uint8Array): Buffer {
  return Buffer.from(new Bun.CryptoHasher("sha256").update(text).digest())
}

/** Epoch milliseconds as 8 big-endian bytes, so that keys sort by time; clamped to 0..2^53-1. */
export function timeKey(ms: number): Buffer {
  const clamped = Number.isNaN(ms) ? 0 : Math.min(Math.max(ms, 0), Number.MAX_SAFE_INTEGER)
  const key = Buffer.alloc(TIME_BYTES)
  key.writeBigUInt64BE(BigInt(Math.floor(clamped)))
  return key
}

export function readTime(bytes: Buffer, offset = 0): number {
  return Number(bytes.readBigUInt64BE(offset))
}

/** An index position as an opaque, url-safe word. */
export function encodeCursor(tail: Buffer): string {
  return tail.toString("base64url")
}

/** @throws MalformedError for anything that `encodeCursor` cannot have written */
export function decodeCursor(cursor: string): Buffer {
  // 40 bytes are 54 characters: the length is checked before anything is decoded.
  const tail = /^[A-Za-z0-9_-]{54}$/.test(cursor) ? Buffer.from(cursor, "base64url") : undefined
  if (tail?.length !== TAIL_BYTES || encodeCursor(tail) !== cursor) {
    throw new MalformedError("cursor", "a cursor of an earlier answer")
  }
  return tail
}

/** @throws MalformedError unless `limit` is a whole number of 1..1000 */
export function checkLimit(limit: number): number {
  if (!Number.isInteger(limit) || limit < 1 || limit > 1_000) {
    throw new MalformedError("limit", "a whole number from 1 to 1000")
  }
  return limit
}
