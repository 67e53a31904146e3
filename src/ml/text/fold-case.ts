import type { ByteText } from "./byte-text.ts"
import { CHARACTER_CLASS, LOWER, SPACE, UPPER, WORD } from "./characters.ts"
import type { Undone } from "./undone.ts"

const NEWLINE = 0x0a
const BLANK = 0x20
const BANG = 0x21
const DOUBLE_QUOTE = 0x22
const DOLLAR = 0x24
const SINGLE_QUOTE = 0x27
const ASTERISK = 0x2a
const PLUS = 0x2b
const SLASH = 0x2f
const PIPE = 0x7c
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d
/** A longer comment is kept: what is dropped must be plainly filler. */
const COMMENT_BODY_MAX = 64

interface FoldOptions {
  readonly undone: Undone
  /** `+` means a blank: the text is a form value that nobody decoded. */
  readonly plusIsBlank: boolean
}

/**
 * The last pass: lower case, one blank or newline for any run of white space, comments and
 * `$IFS` as blanks, no empty quotes inside a word.
 */
export function foldCase(source: ByteText, target: ByteText, options: FoldOptions): void {
  const { bytes, starts, ends, length } = source
  const { bytes: bytesTo, starts: startsTo, ends: endsTo } = target
  const pass = { source, target, options }
  let at = 0
  let upper = 0
  let previous = 0
  for (let index = 0; index < length; ) {
    const byte = bytes[index] as number
    // a blank is copied where none came before it
    const isFurther = (FURTHER[byte] as number) & (BLANKED[previous] as number)
    const action = (ACTION[byte] as number) | isFurther
    if (action === COPY || action === LOWER_CASE) {
      previous = byte | action
      bytesTo[at] = previous
      startsTo[at] = starts[index] as number
      endsTo[at++] = ends[index++] as number
      upper += action >> 5
    } else {
      target.length = at
      index += foldRarer(pass, index)
      at = target.length
      previous = bytesTo[at - 1] ?? 0
    }
  }
  target.length = at
  options.undone.upper += upper
}

/** What to do about a byte at first sight; the first two are the bit to set in it as well. */
const COPY = 0
const LOWER_CASE = 0x20
const BLANK_OUT = 1
const LOOK_CLOSER = 2
const ACTION: Uint8Array = Uint8Array.from(CHARACTER_CLASS, (kind, byte) => {
  if ((kind & UPPER) !== 0) return LOWER_CASE
  if ((kind & SPACE) !== 0 && byte !== BLANK) return BLANK_OUT
  const close = [PLUS, SLASH, DOLLAR, SINGLE_QUOTE, DOUBLE_QUOTE]
  return close.includes(byte) ? LOOK_CLOSER : COPY
})

/** Set for a blank, and for what may stand before it so that it is one too many. */
const FURTHER: Uint8Array = Uint8Array.from(ACTION, (_action, byte) =>
  byte === BLANK ? BLANK_OUT : 0,
)
const BLANKED: Uint8Array = Uint8Array.from(ACTION, (_action, byte) =>
  byte === BLANK || byte === NEWLINE ? BLANK_OUT : 0,
)

/** Made once for all bytes of a text. */
interface Pass {
  readonly source: ByteText
  readonly target: ByteText
  readonly options: FoldOptions
}

/** @returns bytes consumed, at least 1 */
function foldRarer(pass: Pass, index: number): number {
  const { source, target, options } = pass
  const byte = source.bytes[index] ?? 0
  const blank = blankLength(pass, index)
  if (blank > 0) {
    pushBlank(source, target, { index, length: blank })
    return blank
  }
  const joint = byte === SINGLE_QUOTE || byte === DOUBLE_QUOTE ? jointLength(source, index) : 0
  if (joint > 0) {
    if (joint === 2) options.undone.shell += 1
    else options.undone.concatenation += 1
    return joint
  }
  target.copy(source, index)
  return 1
}

/** @returns length of what stands for a blank at `index`, 0 where nothing does */
function blankLength({ source, options }: Pass, index: number): number {
  const { undone, plusIsBlank } = options
  const byte = source.bytes[index] ?? 0
  if (byte === BLANK || ACTION[byte] === BLANK_OUT || (byte === PLUS && plusIsBlank)) return 1
  if (byte === SLASH && source.at(index + 1) === ASTERISK) {
    const length = commentLength(source, index)
    if (length > 0) undone.comment += 1
    return length
  }
  const length = byte === DOLLAR ? ifsLength(source, index) : 0
  if (length > 0) undone.shell += 1
  return length
}

/** A run of white space becomes one byte: a newline if it holds one (a shell separator). */
function pushBlank(source: ByteText, target: ByteText, { index, length }: Stretch): void {
  const byte = source.at(index) === NEWLINE ? NEWLINE : BLANK
  const end = source.ends[index + length - 1] ?? 0
  const last = target.length - 1
  const previous = last < 0 ? 0 : (target.bytes[last] ?? 0)
  if (previous !== BLANK && previous !== NEWLINE) {
    target.push(byte, source.starts[index] ?? 0, end)
    return
  }
  if (byte === NEWLINE) target.bytes[last] = NEWLINE
  target.ends[last] = end
}

interface Stretch {
  readonly index: number
  readonly length: number
}

/**
 * Length of the filler comment at `index`, or of the opening of a MySQL version comment, whose
 * body is code; 0 where what stands between the marks could be an attack of its own.
 */
function commentLength(source: ByteText, index: number): number {
  if (source.at(index + 2) === BANG) return versionCommentLength(source, index)
  const end = Math.min(source.length - 1, index + 2 + COMMENT_BODY_MAX)
  for (let i = index + 2; i < end; i++) {
    const byte = source.at(i)
    if (byte === ASTERISK && source.at(i + 1) === SLASH) return i + 2 - index
    if (((CHARACTER_CLASS[byte] ?? 0) & (WORD | SPACE)) === 0 && byte !== ASTERISK) return 0
  }
  return 0
}

/** MySQL runs what follows `/*!50000`: at most six digits are the version. */
function versionCommentLength(source: ByteText, index: number): number {
  let length = 3
  while (length < 9 && isDigit(source.at(index + length))) length += 1
  return length
}

/** `$IFS`, `${IFS}`, `$IFS$9`: a blank to a POSIX shell. */
function ifsLength(source: ByteText, index: number): number {
  const braced = source.at(index + 1) === OPEN_BRACE
  const name = index + (braced ? 2 : 1)
  if ((source.at(name) | 0x20) !== 0x69 || (source.at(name + 1) | 0x20) !== 0x66) return 0
  if ((source.at(name + 2) | 0x20) !== 0x73) return 0
  if (braced) return source.at(name + 3) === CLOSE_BRACE ? 6 : 0
  const positional = source.at(index + 4) === DOLLAR && isDigit(source.at(index + 5))
  return positional ? 6 : 4
}

/** Blanks on either side of the operator; more would be layout, not a disguise. */
const JOINT_BLANKS_MAX = 4

/**
 * Length of what joins two strings into one between two letters: `''` (a shell), `'||'` (SQL),
 * `'+'` (SQL Server, JavaScript) or `' '` (MySQL); 0 where nothing is joined.
 */
function jointLength(source: ByteText, index: number): number {
  if (index === 0 || !isLetter(source.at(index - 1))) return 0
  const quote = source.at(index)
  let at = skipBlanks(source, index + 1)
  if (source.at(at) === PLUS) at += 1
  else if (source.at(at) === PIPE && source.at(at + 1) === PIPE) at += 2
  at = skipBlanks(source, at)
  return source.at(at) === quote && isLetter(source.at(at + 1)) ? at + 1 - index : 0
}

function skipBlanks(source: ByteText, from: number): number {
  let at = from
  while (at < from + JOINT_BLANKS_MAX && source.at(at) === BLANK) at += 1
  return at
}

function isLetter(byte: number): boolean {
  return ((CHARACTER_CLASS[byte] ?? 0) & (LOWER | UPPER)) !== 0
}

function isDigit(byte: number): boolean {
  return byte >= 0x30 && byte <= 0x39
}
