import type { ByteText } from "./byte-text.ts"
import type { Undone } from "./undone.ts"

const FULL_WIDTH_FIRST = 0xff01
const FULL_WIDTH_LAST = 0xff5e
const FULL_WIDTH_OFFSET = 0xfee0

/** The ASCII character that a code point is a wide or blank form of, or the code point itself. */
export function foldCodePoint(codePoint: number, undone: Undone): number {
  if (codePoint >= FULL_WIDTH_FIRST && codePoint <= FULL_WIDTH_LAST) {
    undone.fullWidth += 1
    return codePoint - FULL_WIDTH_OFFSET
  }
  if (codePoint === 0xa0 || codePoint === 0x3000) return 0x20
  if (codePoint === 0x2028 || codePoint === 0x2029) return 0x0a
  return codePoint
}

/**
 * Replaces, in place, UTF-8 sequences that decode to ASCII: overlong ones (`C0 AE` is a dot to a
 * lenient decoder, RFC 3629 section 10) and full-width forms. Everything else stays as it is.
 */
export function foldUtf8(text: ByteText, undone: Undone): void {
  const { length } = text
  text.length = 0
  for (let index = 0; index < length; ) {
    const size = sequenceSize(text, index, length)
    const folded = size > 1 ? foldSequence(text, index, { size, undone }) : -1
    if (folded >= 0) {
      text.push(folded, text.starts[index] ?? 0, text.ends[index + size - 1] ?? 0)
    } else {
      for (let i = index; i < index + size; i++) text.copy(text, i)
    }
    index += size
  }
}

/** Bytes of the sequence that begins at `index`; 1 for ASCII and for anything malformed. */
function sequenceSize(text: ByteText, index: number, length: number): number {
  const size = announcedSize(text.bytes[index] ?? 0)
  if (index + size > length) return 1
  for (let i = index + 1; i < index + size; i++) {
    if (((text.bytes[i] ?? 0) & 0xc0) !== 0x80) return 1
  }
  return size
}

/** Bytes that a lead byte announces; 1 for all that is none. */
function announcedSize(lead: number): number {
  if (lead < 0xc0 || lead >= 0xf8) return 1
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4
}

/** @returns the ASCII byte that the sequence stands for, or -1 */
function foldSequence(
  text: ByteText,
  index: number,
  { size, undone }: { size: number; undone: Undone },
): number {
  let codePoint = (text.bytes[index] ?? 0) & (0xff >> (size + 1))
  for (let i = index + 1; i < index + size; i++) {
    codePoint = (codePoint << 6) | ((text.bytes[i] ?? 0) & 0x3f)
  }
  if (codePoint < 0x80) {
    undone.overlong += 1
    return codePoint
  }
  const folded = foldCodePoint(codePoint, undone)
  return folded < 0x80 ? folded : -1
}
