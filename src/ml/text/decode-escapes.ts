import type { ByteText } from "./byte-text.ts"
import { hexValue } from "./characters.ts"
import { entityCodePoint } from "./entities.ts"
import type { Undone } from "./undone.ts"

const PERCENT = 0x25
const AMPERSAND = 0x26
const BACKSLASH = 0x5c
const HASH = 0x23
const SEMICOLON = 0x3b
const LOWER_U = 0x75
const LOWER_X = 0x78
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
/** `&#0000000060;` and no more: leading zeros are a known way around filters. */
const ENTITY_DIGITS_MAX = 10
const CODE_POINT_MAX = 0x10ffff

/**
 * Undoes one layer of percent, entity and backslash escapes.
 *
 * @returns whether anything was undone; only then is `target` worth a further round
 */
export function decodeEscapes(source: ByteText, target: ByteText, undone: Undone): boolean {
  const { bytes, starts, ends, length } = source
  const { bytes: bytesTo, starts: startsTo, ends: endsTo } = target
  const pass = { source, target, undone }
  let changed = false
  let at = 0
  for (let index = 0; index < length; ) {
    const byte = bytes[index] as number
    if (byte !== PERCENT && byte !== AMPERSAND && byte !== BACKSLASH) {
      bytesTo[at] = byte
      startsTo[at] = starts[index] as number
      endsTo[at++] = ends[index++] as number
      continue
    }
    let consumed = 0
    target.length = at
    if (byte === PERCENT) consumed = decodePercent(pass, index)
    else if (byte === AMPERSAND) consumed = decodeEntity(pass, index)
    else consumed = decodeBackslash(pass, index)
    if (consumed === 0) {
      target.copy(source, index)
      index += 1
    } else {
      changed = true
      index += consumed
    }
    at = target.length
  }
  target.length = at
  return changed
}

/** Made once for all escapes of a text. */
interface Pass {
  readonly source: ByteText
  readonly target: ByteText
  readonly undone: Undone
}

/** `%41` is one byte, `%u0041` one code point. @returns bytes consumed, 0 for no escape */
function decodePercent({ source, target, undone }: Pass, index: number): number {
  const start = source.starts[index] ?? 0
  if ((source.at(index + 1) | 0x20) === LOWER_U) {
    const codePoint = hexNumber(source, index + 2, 4)
    if (codePoint < 0) return 0
    undone.percentU += 1
    target.pushCodePoint(codePoint, start, source.ends[index + 5] ?? 0)
    return 6
  }
  const byte = hexNumber(source, index + 1, 2)
  if (byte < 0) return 0
  undone.percent += 1
  target.push(byte, start, source.ends[index + 2] ?? 0)
  return 3
}

/** `\x41` `\u0041` `\u{41}` `\101` of C, JavaScript and shells. */
function decodeBackslash(pass: Pass, index: number): number {
  const { source, target, undone } = pass
  const letter = source.at(index + 1)
  if (letter >= 0x30 && letter <= 0x33) return decodeOctal(pass, index)
  if (source.at(index + 2) === OPEN_BRACE) return decodeBraced(pass, index)
  const digits = letter === LOWER_X ? 2 : letter === LOWER_U ? 4 : 0
  if (digits === 0) return 0
  const codePoint = hexNumber(source, index + 2, digits)
  if (codePoint < 0) return 0
  undone.backslash += 1
  target.pushCodePoint(codePoint, source.starts[index] ?? 0, source.ends[index + 1 + digits] ?? 0)
  return 2 + digits
}

/** Exactly three octal digits, as printf and `$'...'` read them. */
function decodeOctal({ source, target, undone }: Pass, index: number): number {
  let code = 0
  for (let at = index + 1; at <= index + 3; at++) {
    const digit = source.at(at) - 0x30
    if (digit < 0 || digit > 7) return 0
    code = code * 8 + digit
  }
  undone.backslash += 1
  target.push(code, source.starts[index] ?? 0, source.ends[index + 3] ?? 0)
  return 4
}

/** `\u{1F600}` and `\x{41}`: one to six hexadecimal digits in braces. */
function decodeBraced({ source, target, undone }: Pass, index: number): number {
  const letter = source.at(index + 1)
  if (letter !== LOWER_X && letter !== LOWER_U) return 0
  let codePoint = 0
  let next = index + 3
  for (; next < index + 9; next++) {
    const digit = hexValue(source.at(next))
    if (digit < 0) break
    codePoint = codePoint * 16 + digit
  }
  if (next === index + 3 || source.at(next) !== CLOSE_BRACE || codePoint > CODE_POINT_MAX) return 0
  undone.backslash += 1
  target.pushCodePoint(codePoint, source.starts[index] ?? 0, source.ends[next] ?? 0)
  return next + 1 - index
}

function decodeEntity(pass: Pass, index: number): number {
  const { source, target, undone } = pass
  if (source.at(index + 1) === HASH) return decodeNumericEntity(pass, index)
  const named = entityCodePoint(source, index + 1)
  if (named === undefined) return 0
  undone.entity += 1
  const consumed = 1 + named.length
  target.pushCodePoint(
    named.codePoint,
    source.starts[index] ?? 0,
    source.ends[index + consumed - 1] ?? 0,
  )
  return consumed
}

function decodeNumericEntity({ source, target, undone }: Pass, index: number): number {
  const hexadecimal = (source.at(index + 2) | 0x20) === LOWER_X
  const radix = hexadecimal ? 16 : 10
  const first = index + (hexadecimal ? 3 : 2)
  let codePoint = 0
  let next = first
  while (next - first < ENTITY_DIGITS_MAX) {
    const digit = hexValue(source.at(next))
    if (digit < 0 || digit >= radix) break
    codePoint = Math.min(codePoint * radix + digit, CODE_POINT_MAX + 1)
    next += 1
  }
  if (next === first || codePoint > CODE_POINT_MAX) return 0
  if (source.at(next) === SEMICOLON) next += 1
  undone.entity += 1
  target.pushCodePoint(codePoint, source.starts[index] ?? 0, source.ends[next - 1] ?? 0)
  return next - index
}

/** @returns the number that `digits` hexadecimal digits at `from` write, or -1 */
function hexNumber(source: ByteText, from: number, digits: number): number {
  let value = 0
  for (let index = from; index < from + digits; index++) {
    const digit = hexValue(source.at(index))
    if (digit < 0) return -1
    value = value * 16 + digit
  }
  return value
}
