import { WINDOW_BYTES } from "./payload-features.ts"

/** Neighbouring windows share this many bytes, so that no short attack is cut in every window. */
const OVERLAP_BYTES = 64
const STRIDE = WINDOW_BYTES - OVERLAP_BYTES

/** How many windows cover a text of `length` bytes: at least 1. */
export function windowCount(length: number): number {
  return length <= WINDOW_BYTES ? 1 : 1 + Math.ceil((length - WINDOW_BYTES) / STRIDE)
}

/** Where window `index` begins; the last one ends with the text. */
export function windowStart(length: number, index: number): number {
  return Math.max(0, Math.min(index * STRIDE, length - WINDOW_BYTES))
}
