/** Classes of bytes as bits of one table: a lookup is cheaper than a chain of comparisons. */
export const LOWER = 1
export const UPPER = 2
export const DIGIT = 4
export const SPACE = 8
const HIGH = 16
/** Part of a word: letter, digit or underscore. */
export const WORD = 32
export const PUNCTUATION = 64

export const CHARACTER_CLASS: Uint8Array = characterClasses()

function characterClasses(): Uint8Array {
  const table = new Uint8Array(256)
  for (let byte = 0; byte < 256; byte++) table[byte] = classOf(byte)
  return table
}

function classOf(byte: number): number {
  if (byte >= 0x61 && byte <= 0x7a) return LOWER | WORD
  if (byte >= 0x41 && byte <= 0x5a) return UPPER | WORD
  if (byte >= 0x30 && byte <= 0x39) return DIGIT | WORD
  if (byte === 0x5f) return WORD | PUNCTUATION
  if (byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)) return SPACE
  if (byte >= 0x80) return HIGH
  return byte > 0x20 && byte < 0x7f ? PUNCTUATION : 0
}

/** Value of a hexadecimal digit, or -1. */
export function hexValue(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const folded = byte | 0x20
  return folded >= 0x61 && folded <= 0x66 ? folded - 0x57 : -1
}
