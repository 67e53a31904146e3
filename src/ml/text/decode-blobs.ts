import type { ByteText } from "./byte-text.ts"
import { CHARACTER_CLASS, DIGIT, hexValue, LOWER, UPPER } from "./characters.ts"
import { sequenceSize } from "./fold-utf8.ts"
import type { Undone } from "./undone.ts"

/** A shorter run of letters and digits could be a word that decodes to text by chance. */
export const BLOB_RUN_MIN = 12
/** Hexadecimal digits without and with `0x` before them; five bytes are no chance. */
const HEX_DIGITS_MIN = 16
const HEX_PREFIXED_DIGITS_MIN = 10
/** With fewer bytes a sequence beyond ASCII could be chance. */
const UTF8_BYTES_MIN = 12
const CODES_MAX = 1024
const BLANKS_MAX = 4
const OPEN_PARENTHESIS = 0x28
const CLOSE_PARENTHESIS = 0x29
const COMMA = 0x2c
const EQUALS = 0x3d
const QUOTE = 0x27
const LOWER_A = 0x61
const LOWER_C = 0x63
const LOWER_D = 0x64
const LOWER_E = 0x65
const LOWER_H = 0x68
const LOWER_O = 0x6f
const LOWER_R = 0x72

/**
 * Writes out text that stands there as base64, as hexadecimal digits or as the arguments of
 * `char`, `chr` or `fromCharCode`. Only what decodes to printable UTF-8 throughout is text: a
 * random token or a word does so with a probability below one in a thousand.
 *
 * @returns whether anything was written out
 * @see RFC 4648, sections 4, 5 and 8
 */
export function decodeBlobs(source: ByteText, target: ByteText, undone: Undone): boolean {
  const { bytes, length } = source
  const before = undone.blob
  target.length = 0
  // Most texts hold none: nothing is copied before the first stretch that could be one.
  let copied = 0
  let run = 0
  for (let index = 0; index < length; index++) {
    const kind = SYMBOLS[bytes[index] as number] as number
    // without a branch: where words end, no processor foresees
    run = (run + 1) & -(kind & SYMBOL)
    const isOpen = kind === OPEN
    if (isOpen ? !namesCharacters(source, index) : run < HEX_PREFIXED_DIGITS_MIN) continue
    const from = index - Math.max(0, run - 1)
    const end = isOpen ? index + 1 : runEnd(source, from)
    copyStretch(source, target, { from: copied, to: from })
    const consumed = (isOpen ? decodeCodes : decodeRun)(source, target, from)
    if (consumed > 0) undone.blob += 1
    copied = from + consumed
    index = (consumed > 0 ? copied : end) - 1
    run = 0
  }
  if (undone.blob === before) return false
  copyStretch(source, target, { from: copied, to: length })
  return true
}

function copyStretch(source: ByteText, target: ByteText, { from, to }: Stretch): void {
  for (let index = from; index < to; index++) target.copy(source, index)
}

const OPEN = 2
const SYMBOL = 1
/** Letters, digits and the further symbols of both alphabets of base64. */
const SYMBOLS: Uint8Array = Uint8Array.from(CHARACTER_CLASS, (kind, byte) => {
  if (byte === OPEN_PARENTHESIS) return OPEN
  return (kind & (LOWER | UPPER | DIGIT)) !== 0 || byte === 0x2b || byte === 0x2f ? SYMBOL : 0
})
const BASE64_VALUE: Int8Array = base64Values()

function runEnd(source: ByteText, from: number): number {
  let end = from
  while (end < source.length && SYMBOLS[source.bytes[end] ?? 0] === SYMBOL) end += 1
  return end
}

/** A stretch of the source, `to` exclusive. */
interface Stretch {
  readonly from: number
  readonly to: number
}

/** @returns bytes consumed, 0 for a run that is no text in disguise */
function decodeRun(source: ByteText, target: ByteText, from: number): number {
  const to = runEnd(source, from)
  const length = to - from
  const prefixed = source.at(from) === 0x30 && (source.at(from + 1) | 0x20) === 0x78
  if (prefixed && length >= HEX_PREFIXED_DIGITS_MIN + 2) {
    if (decodeHex(source, target, { from: from + 2, to })) return length
  }
  if (length >= HEX_DIGITS_MIN && decodeHex(source, target, { from, to })) return length
  if (length < BLOB_RUN_MIN || !decodeBase64(source, target, { from, to })) return 0
  let end = to
  while (end < to + 2 && source.at(end) === EQUALS) end += 1
  return end - from
}

function decodeHex(source: ByteText, target: ByteText, { from, to }: Stretch): boolean {
  const rollback = target.length
  if ((to - from) % 2 !== 0) return false
  for (let index = from; index < to; index += 2) {
    const high = hexValue(source.at(index))
    const low = hexValue(source.at(index + 1))
    const byte = high * 16 + low
    if (high < 0 || low < 0 || !mayBeText(byte)) {
      target.length = rollback
      return false
    }
    target.push(byte, source.starts[index] ?? 0, source.ends[index + 1] ?? 0)
  }
  return keepText(target, rollback)
}

function decodeBase64(source: ByteText, target: ByteText, { from, to }: Stretch): boolean {
  const rollback = target.length
  if ((to - from) % 4 === 1) return false
  let bits = 0
  let count = 0
  for (let index = from; index < to; index++) {
    bits = ((bits << 6) | (BASE64_VALUE[source.bytes[index] ?? 0] ?? 0)) & 0xffff
    count += 6
    if (count < 8) continue
    count -= 8
    const byte = (bits >> count) & 0xff
    if (!mayBeText(byte)) {
      target.length = rollback
      return false
    }
    target.push(byte, source.starts[index - 1] ?? 0, source.ends[index] ?? 0)
  }
  return keepText(target, rollback)
}

function mayBeText(byte: number): boolean {
  return byte >= 0x80 || isPrintable(byte)
}

/** Takes back what was written from `rollback` on unless it is UTF-8, and if short, ASCII. */
function keepText(target: ByteText, rollback: number): boolean {
  const asciiOnly = target.length - rollback < UTF8_BYTES_MIN
  for (let index = rollback; index < target.length; ) {
    const byte = target.bytes[index] ?? 0
    const size = byte < 0x80 ? 1 : sequenceSize(target, index, target.length)
    if (byte >= 0x80 && (size === 1 || asciiOnly)) {
      target.length = rollback
      return false
    }
    index += size
  }
  return true
}

/** `(97,98,99)` after `char`, `chr` or `fromCharCode` becomes `('abc')`. */
function decodeCodes(source: ByteText, target: ByteText, open: number): number {
  const rollback = target.length
  copyAs(source, target, { at: open, byte: OPEN_PARENTHESIS })
  copyAs(source, target, { at: open, byte: QUOTE })
  let index = open
  for (let codes = 0; codes < CODES_MAX; codes++) {
    const end = decodeCode(source, target, index + 1)
    if (end < 0) break
    index = skipBlanks(source, end)
    if (source.at(index) === CLOSE_PARENTHESIS) {
      copyAs(source, target, { at: index, byte: QUOTE })
      copyAs(source, target, { at: index, byte: CLOSE_PARENTHESIS })
      return index + 1 - open
    }
    if (source.at(index) !== COMMA) break
  }
  target.length = rollback
  return 0
}

/** One number of up to three digits, blanks before it passed over. @returns its end, or -1 */
function decodeCode(source: ByteText, target: ByteText, from: number): number {
  const first = skipBlanks(source, from)
  let code = 0
  let end = first
  while (end < first + 3 && isDigit(source.at(end))) code = code * 10 + source.at(end++) - 0x30
  if (end === first || !isPrintable(code)) return -1
  target.push(code, source.starts[first] ?? 0, source.ends[end - 1] ?? 0)
  return end
}

function skipBlanks(source: ByteText, from: number): number {
  let at = from
  while (at < from + BLANKS_MAX && source.at(at) === 0x20) at += 1
  return at
}

function copyAs(
  source: ByteText,
  target: ByteText,
  { at, byte }: { at: number; byte: number },
): void {
  target.push(byte, source.starts[at] ?? 0, source.ends[at] ?? 0)
}

/** Whether what stands before a parenthesis ends in `char`, `chr` or `fromCharCode`. */
function namesCharacters(source: ByteText, open: number): boolean {
  const last = letterAt(source, open - 1)
  if (last === LOWER_R) {
    if (letterAt(source, open - 2) === LOWER_H) return letterAt(source, open - 3) === LOWER_C
    return endsInLetters(source, open - 1, [LOWER_C, LOWER_H, LOWER_A])
  }
  return last === LOWER_E && endsInLetters(source, open - 1, [LOWER_C, LOWER_O, LOWER_D])
}

function endsInLetters(source: ByteText, end: number, letters: readonly number[]): boolean {
  const start = end - letters.length
  return letters.every((letter, index) => letterAt(source, start + index) === letter)
}

/** In lower case if it is a letter; 0x20 before the text. */
function letterAt(source: ByteText, index: number): number {
  return (index < 0 ? 0 : source.at(index)) | 0x20
}

function isPrintable(byte: number): boolean {
  return (byte >= 0x20 && byte < 0x7f) || byte === 0x09 || byte === 0x0a || byte === 0x0d
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}

function base64Values(): Int8Array {
  const table = new Int8Array(256)
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
  for (const [value, character] of [...alphabet].entries()) table[character.charCodeAt(0)] = value
  return table
}
