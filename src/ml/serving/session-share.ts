const HASH_RANGE = 2 ** 32
/** Characters of a payload that tell sessions apart where none is named. */
const HASHED_CHARS = 256

/**
 * 0..2^32-1; the seed differs from model to model, so that no session is always tried on.
 * @param key the session's id, or the payload where there is none
 */
export function sessionHash(modelId: string, key: string): number {
  return Bun.hash.xxHash32(key.slice(0, HASHED_CHARS), Bun.hash.xxHash32(modelId))
}

/** Whether a session is in a share: it stays there while the share grows. @param percent 0..100 */
export function isInShare(hash: number, percent: number): boolean {
  return hash < (percent / 100) * HASH_RANGE
}
