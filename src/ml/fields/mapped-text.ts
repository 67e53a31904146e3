import { hexValue } from "../text/characters.ts"

const ESCAPED_RUN = /(?:%[0-9a-f]{2})+/gi
const JSON_ESCAPE = /\\(?:u[0-9a-fA-F]{4}|["\\/bfnrt])/g
/** One UTF-16 unit or byte each: `%u0041` `\\u0041` `\\x41` `\\101`, and ASCII in overlong UTF-8. */
const UNIT_ESCAPE = /[%\\]u[0-9a-f]{4}|\\x[0-9a-f]{2}|\\[0-3][0-7]{2}|%c[01]%[89ab][0-9a-f]/gi
const ENTITY = /&(?:#\d{1,7}|#x[0-9a-f]{1,6}|(?:amp|lt|gt|quot|apos|equals|quest));/gi
const NAMED_ENTITIES: Readonly<Record<string, string>> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  equals: "=",
  quest: "?",
}
const FULL_WIDTH = /[\uff01-\uff5e]/g
const FULL_WIDTH_OFFSET = 0xfee0

/**
 * A stretch of a text, as it stood or with one layer of escapes undone, that knows of each of its
 * characters where it stood in the original. Offsets are UTF-16 units.
 */
export class MappedText {
  readonly text: string
  /** Of the first character, in `#undone` or, where there is none, in the original. */
  readonly #offset: number
  readonly #undone: UndoneEscapes | undefined

  constructor(text: string, offset = 0, undone?: UndoneEscapes) {
    this.text = text
    this.#offset = offset
    this.#undone = undone
  }

  /** Where character `index` stood in the original; the length gives the end of the last one. */
  position(index: number): number {
    const at = this.#offset + index
    return this.#undone === undefined ? at : this.#undone.position(at)
  }

  slice(from: number, to: number): MappedText {
    return new MappedText(this.text.slice(from, to), this.#offset + from, this.#undone)
  }

  /** One layer of percent-encoding undone; runs that are no UTF-8 stay as they are. */
  percentDecoded(): MappedText {
    return this.#replaced(ESCAPED_RUN, decodedRun, percentWidth)
  }

  /** One layer of HTML entities undone: the numeric ones, and those of the characters of markup. */
  entitiesDecoded(): MappedText {
    return this.#replaced(ENTITY, decodedEntity, escapeWidth)
  }

  /** `%u`, `\\u`, `\\x`, octal and overlong escapes undone. */
  unitsUnescaped(): MappedText {
    return this.#replaced(UNIT_ESCAPE, decodedUnit, escapeWidth)
  }

  /** NUL left out, at which some decoders stop and which others pass over. */
  withoutNul(): MappedText {
    return this.#replaced(/\0+/g, () => "", escapeWidth)
  }

  /** Full-width forms of ASCII as ASCII. */
  narrowed(): MappedText {
    return this.#replaced(FULL_WIDTH, narrow, () => 1)
  }

  /** The content of a JSON string with its escapes undone. */
  jsonUnescaped(): MappedText {
    if (!this.text.includes("\\")) return this
    return this.#replaced(JSON_ESCAPE, (escaped) => String(JSON.parse(`"${escaped}"`)), escapeWidth)
  }

  #replaced(
    pattern: RegExp,
    replacement: (escaped: string) => string,
    width: (unit: number, whole: string) => number,
  ): MappedText {
    const text = this.text.replace(pattern, (escaped) => replacement(escaped))
    return new MappedText(text, 0, new UndoneEscapes(this, { pattern, replacement, width }))
  }
}

interface Escapes {
  readonly pattern: RegExp
  readonly replacement: (escaped: string) => string
  /** Units that the escape of one unit of the replacement takes in the text before. */
  readonly width: (unit: number, whole: string) => number
}

/**
 * Where the characters of a text stood before its escapes were undone: worked out when it is asked
 * for, which an explanation does and a verdict does not.
 */
class UndoneEscapes {
  readonly #before: MappedText
  readonly #escapes: Escapes
  #starts: Int32Array | undefined

  constructor(before: MappedText, escapes: Escapes) {
    this.#before = before
    this.#escapes = escapes
  }

  position(index: number): number {
    this.#starts ??= this.#computeStarts()
    return this.#starts[index] ?? 0
  }

  #computeStarts(): Int32Array {
    const { pattern, replacement, width } = this.#escapes
    const before = this.#before
    // no escape is shorter than what it stands for
    const starts = new Int32Array(before.text.length + 1)
    let length = 0
    let read = 0
    const copy = (to: number): void => {
      for (; read < to; read++) starts[length++] = before.position(read)
    }
    for (const match of before.text.matchAll(pattern)) {
      const [escaped] = match
      const plain = replacement(escaped)
      if (plain === escaped) continue
      copy(match.index)
      for (let unit = 0; unit < plain.length; unit++) {
        starts[length++] = before.position(read)
        read += width(plain.charCodeAt(unit), escaped)
      }
      read = match.index + escaped.length
    }
    copy(before.text.length)
    starts[length] = before.position(before.text.length)
    return starts
  }
}

function decodedRun(run: string): string {
  // most runs are one blank, quote or equals sign
  if (run.length === 3) {
    const code = hexValue(run.charCodeAt(1)) * 16 + hexValue(run.charCodeAt(2))
    return code < 0x80 ? String.fromCharCode(code) : run
  }
  try {
    return decodeURIComponent(run)
  } catch {
    return run
  }
}

/** The entity itself where its number is that of no character. */
function decodedEntity(entity: string): string {
  const body = entity.slice(1, -1).toLowerCase()
  if (!body.startsWith("#")) return NAMED_ENTITIES[body] ?? entity
  const code = body[1] === "x" ? Number.parseInt(body.slice(2), 16) : Number(body.slice(1))
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : entity
}

function decodedUnit(written: string): string {
  const mark = written.charAt(1).toLowerCase()
  if (mark === "c") return String.fromCharCode(overlongCode(written))
  const [digits, radix] =
    mark === "u" || mark === "x" ? [written.slice(2), 16] : [written.slice(1), 8]
  return String.fromCharCode(Number.parseInt(digits, radix))
}

/** `%c0%af`: a bit of the first byte and six of the second. */
function overlongCode(written: string): number {
  const [lead, rest] = [written.slice(1, 3), written.slice(4)].map((hex) =>
    Number.parseInt(hex, 16),
  )
  return (((lead ?? 0) & 1) << 6) | ((rest ?? 0) & 0x3f)
}

function narrow(wide: string): string {
  return String.fromCharCode(wide.charCodeAt(0) - FULL_WIDTH_OFFSET)
}

/** Three characters for each UTF-8 byte; a surrogate has half of the four bytes of its pair. */
function percentWidth(unit: number): number {
  if (unit < 0x80) return 3
  if (unit < 0x800) return 6
  return unit >= 0xd800 && unit <= 0xdfff ? 6 : 9
}

function escapeWidth(_unit: number, escaped: string): number {
  return escaped.length
}
