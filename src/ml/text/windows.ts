import { SHORT_WINDOW_BYTES, WINDOW_BYTES } from "./payload-features.ts"

/** Neighbouring windows share this many bytes, so that no short attack is cut in every window. */
const OVERLAP_BYTES = 20
const STRIDE = SHORT_WINDOW_BYTES - OVERLAP_BYTES

/** How many windows cover a text of `length` bytes: at least 1. */
export function windowCount(length: number): number {
  return length <= WINDOW_BYTES ? 1 : 1 + Math.ceil((length - SHORT_WINDOW_BYTES) / STRIDE)
}

/** Where window `index` of a text of `length` bytes lies; the last one ends with the text. */
export function windowAt(length: number, index: number): { start: number; end: number } {
  if (length <= WINDOW_BYTES) return { start: 0, end: length }
  const start = Math.min(index * STRIDE, length - SHORT_WINDOW_BYTES)
  return { start, end: start + SHORT_WINDOW_BYTES }
}
