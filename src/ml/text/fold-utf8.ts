import type { ByteText } from "./byte-text.ts"
import type { Undone } from "./undone.ts"

const FULL_WIDTH_FIRST = 0xff01
const FULL_WIDTH_LAST = 0xff5e
const FULL_WIDTH_OFFSET = 0xfee0

/** Mathematical letters: alphabets of 52 one after the other, then digits (Unicode 15, 22.2). */
const MATH_LETTER_FIRST = 0x1d400
const MATH_LETTER_LAST = 0x1d6a3
const MATH_DIGIT_FIRST = 0x1d7ce
const MATH_DIGIT_LAST = 0x1d7ff

/**
 * Look-alikes of the punctuation that markup, SQL and paths are made of, and letters whose upper
 * or lower case is ASCII.
 *
 * @see https://www.unicode.org/reports/tr39/ (confusables)
 */
const LOOK_ALIKES: ReadonlyMap<number, number> = new Map(
  Object.entries({
    "'": "\u2018\u2019\u201a\u201b\u2032\u02b9\u02bc\u02c8\u05f3\ua78c",
    '"': "\u201c\u201d\u201e\u201f\u2033\u02ba\u05f4",
    "`": "\u02cb\u1fef\u2035",
    "<": "\u2039\u276e\u02c2\ufe64\u2329\u3008",
    ">": "\u203a\u276f\u02c3\ufe65\u232a\u3009",
    "/": "\u2044\u2215\u29f8\u2571",
    "\\": "\u2216\ufe68\u29f5\u29f9",
    ".": "\u2024\ufe52",
    "-": "\u2010\u2011\u2012\u2013\u2212\ufe63",
    ";": "\u037e\ufe54",
    ":": "\u02d0\u2236\ufe55\ua789",
    "=": "\u2550\u207c\ufe66\ua78a",
    "(": "\ufe59\u207d\u208d",
    ")": "\ufe5a\u207e\u208e",
    "|": "\u2223\u01c0\uffe8",
    "&": "\ufe60",
    "#": "\ufe5f",
    "%": "\ufe6a",
    "*": "\u2217\ufe61\u204e",
    s: "\u017f",
    k: "\u212a",
    i: "\u0131",
  }).flatMap(([ascii, others]) =>
    [...others].map((other) => [other.codePointAt(0) ?? 0, ascii.charCodeAt(0)] as const),
  ),
)

/** The ASCII character that a code point is a wide or blank form of, or the code point itself. */
export function foldCodePoint(codePoint: number, undone: Undone): number {
  if (codePoint >= FULL_WIDTH_FIRST && codePoint <= FULL_WIDTH_LAST) {
    undone.fullWidth += 1
    return codePoint - FULL_WIDTH_OFFSET
  }
  if (codePoint >= MATH_LETTER_FIRST && codePoint <= MATH_DIGIT_LAST) {
    return foldMathematical(codePoint, undone)
  }
  if (codePoint === 0xa0 || codePoint === 0x3000) return 0x20
  if (codePoint >= 0x2000 && codePoint <= 0x200a) return 0x20
  if (codePoint === 0x2028 || codePoint === 0x2029) return 0x0a
  const ascii = LOOK_ALIKES.get(codePoint)
  if (ascii !== undefined) undone.fullWidth += 1
  return ascii ?? codePoint
}

function foldMathematical(codePoint: number, undone: Undone): number {
  if (codePoint <= MATH_LETTER_LAST) {
    undone.fullWidth += 1
    const letter = (codePoint - MATH_LETTER_FIRST) % 52
    return letter < 26 ? 0x41 + letter : 0x61 + letter - 26
  }
  if (codePoint < MATH_DIGIT_FIRST) return codePoint
  undone.fullWidth += 1
  return 0x30 + ((codePoint - MATH_DIGIT_FIRST) % 10)
}

/**
 * Replaces, in place, UTF-8 sequences that decode to ASCII: overlong ones (`C0 AE` is a dot to a
 * lenient decoder, RFC 3629 section 10) and full-width forms. NUL is left out, all else stays.
 */
export function foldUtf8(text: ByteText, undone: Undone): void {
  const { length } = text
  text.length = 0
  for (let index = 0; index < length; ) {
    const next = keepAscii(text, index, length)
    if (next > index) {
      index = next
      continue
    }
    const size = sequenceSize(text, index, length)
    const folded = foldSequence(text, index, { size, undone })
    if (folded === 0) {
      undone.nul += 1
    } else if (folded > 0) {
      text.push(folded, text.starts[index] ?? 0, text.ends[index + size - 1] ?? 0)
    } else {
      for (let i = index; i < index + size; i++) text.copy(text, i)
    }
    index += size
  }
}

/** Moves the ASCII run at `index` to where the text has come to. @returns the run's end */
function keepAscii(text: ByteText, index: number, length: number): number {
  let at = index
  for (; at < length; at++) {
    const byte = text.bytes[at] ?? 0
    if (byte === 0 || byte >= 0x80) break
    if (at > text.length) text.copy(text, at)
    else text.length += 1
  }
  return at
}

/** Bytes of the sequence that begins at `index`; 1 for ASCII and for anything malformed. */
export function sequenceSize(text: ByteText, index: number, length: number): number {
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

/** @returns the ASCII byte that the sequence is or stands for, or -1 */
function foldSequence(
  text: ByteText,
  index: number,
  { size, undone }: { size: number; undone: Undone },
): number {
  const lead = text.bytes[index] ?? 0
  if (size === 1) return lead < 0x80 ? lead : -1
  let codePoint = lead & (0xff >> (size + 1))
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
