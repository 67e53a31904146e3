import { MalformedError } from "../errors.ts"
import { AsciiWriter } from "./ascii-writer.ts"
import { KeyPath } from "./key-path.ts"
import { pythonFloat } from "./python-float.ts"

/** Python's own default recursion limit: no producer of ours can write deeper documents. */
export const JSON_DEPTH_MAX = 1_000

const WHITESPACE = /[ \t\n\r]*/y
const NUMBER = /-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/y
const NOT_PLAIN = /[^ !#-[\]-~]/g

const SHORT_ESCAPES: Readonly<Record<string, string>> = {
  '"': '\\"',
  "\\": "\\\\",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\f": "\\f",
  "\b": "\\b",
}

/** What Python, too, writes after a backslash: `"`, `\\`, `b`, `f`, `n`, `r`, `t`. */
const ESCAPED = [0x22, 0x5c, 0x62, 0x66, 0x6e, 0x72, 0x74]
const WORDS = ["true", "false", "null", "NaN", "Infinity", "-Infinity"] as const

const QUOTE = 0x22
const COMMA = 0x2c
const COLON = 0x3a
const BACKSLASH = 0x5c
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d

/**
 * Reads one JSON text from left to right and writes it as Python's `json.dumps(..., sort_keys=True)`
 * would after `json.loads`. It works on the text because a parsed number has lost how it was written.
 *
 * Linear in the text but for the sorting of keys; nesting is bounded by JSON_DEPTH_MAX.
 */
export class JsonScanner {
  readonly #text: string
  readonly #nonFinite: "python" | "null"
  readonly #out = new AsciiWriter()
  readonly #noKeys = KeyPath.empty()
  #position = 0

  constructor(text: string, nonFinite: "python" | "null" = "python") {
    this.#text = text
    this.#nonFinite = nonFinite
  }

  /** The whole text in canonical form. @throws MalformedError when it is not one JSON value */
  document(): string {
    this.#whitespace()
    this.#value(0)
    this.#whitespace()
    if (this.#position !== this.#text.length) throw notJson()
    return Buffer.from(this.#out.from(0)).toString("latin1")
  }

  /**
   * Visits the wanted members of a top-level object in their canonical form; of duplicates the last
   * counts. The text must have been parsed before: what is not wanted is skipped unread.
   *
   * @param visit must not keep the bytes
   */
  members(wanted: ReadonlySet<string>, visit: (name: string, canonical: Uint8Array) => void): void {
    this.#whitespace()
    this.#expect(OPEN_OBJECT)
    this.#whitespace()
    if (this.#take(CLOSE_OBJECT)) return
    do {
      this.#whitespace()
      const key = this.#key()
      this.#colon()
      this.#out.length = 0
      if (wanted.has(key)) {
        this.#value(1)
        visit(key, this.#out.from(0))
      } else this.#skip()
      this.#whitespace()
    } while (this.#take(COMMA))
    this.#expect(CLOSE_OBJECT)
  }

  #value(depth: number): void {
    if (depth > JSON_DEPTH_MAX) throw new MalformedError("json", `at most ${JSON_DEPTH_MAX} levels`)
    switch (this.#text.charCodeAt(this.#position)) {
      case QUOTE:
        this.#string()
        return
      case OPEN_OBJECT:
        this.#object(depth)
        return
      case OPEN_ARRAY:
        this.#array(depth)
        return
      default:
        if (!this.#integer()) this.#out.text(this.#word() ?? this.#number())
    }
  }

  #object(depth: number): void {
    const start = this.#out.length
    this.#open(OPEN_OBJECT)
    if (!this.#take(CLOSE_OBJECT)) {
      let keys = this.#noKeys
      const ends: number[] = []
      do {
        if (ends.length > 0) this.#out.separator()
        this.#whitespace()
        keys = this.#keyAfter(keys)
        this.#colon()
        this.#out.text(": ")
        this.#value(depth + 1)
        ends.push(this.#out.length)
        this.#whitespace()
      } while (this.#take(COMMA))
      this.#expect(CLOSE_OBJECT)
      if (!keys.isSorted) this.#out.rearrange({ start: start + 1, ends }, keys.order)
    }
    this.#out.unit(CLOSE_OBJECT)
  }

  /** Writes the key at the position; mostly it is the one that followed the same keys before. */
  #keyAfter(keys: KeyPath): KeyPath {
    const { latest } = keys
    if (latest === undefined || !this.#text.startsWith(latest.literal, this.#position)) {
      return keys.with(this.#key())
    }
    this.#string()
    return latest
  }

  #array(depth: number): void {
    this.#open(OPEN_ARRAY)
    if (!this.#take(CLOSE_ARRAY)) {
      let items = 0
      do {
        if (items > 0) this.#out.separator()
        items += 1
        this.#whitespace()
        this.#value(depth + 1)
        this.#whitespace()
      } while (this.#take(COMMA))
      this.#expect(CLOSE_ARRAY)
    }
    this.#out.unit(CLOSE_ARRAY)
  }

  #open(unit: number): void {
    this.#position += 1
    this.#out.unit(unit)
    this.#whitespace()
  }

  /** Writes the string literal at the position and gives the text that it stands for. */
  #key(): string {
    const start = this.#position
    this.#string()
    const literal = this.#text.slice(start, this.#position)
    return literal.includes("\\") ? parseString(literal) : literal.slice(1, -1)
  }

  /** Writes the string literal at the position, escaped as Python escapes. */
  #string(): void {
    const start = this.#position
    const text = this.#text
    if (text.charCodeAt(start) !== QUOTE) throw notJson()
    let at = start + 1
    let unit = text.charCodeAt(at)
    while (unit !== QUOTE) {
      const isShortEscape = unit === BACKSLASH && isEscapedByPython(text.charCodeAt(at + 1))
      if (!(isShortEscape || (unit >= 0x20 && unit <= 0x7e && unit !== BACKSLASH))) {
        this.#escapedString(start, at)
        return
      }
      at += isShortEscape ? 2 : 1
      unit = text.charCodeAt(at)
    }
    this.#position = at + 1
    this.#out.range(text, start, at + 1)
  }

  #escapedString(start: number, firstSpecial: number): void {
    this.#position = this.#stringEnd(firstSpecial)
    const decoded = parseString(this.#text.slice(start, this.#position))
    this.#out.text(`"${decoded.replace(NOT_PLAIN, escapeUnit)}"`)
  }

  /** Just after the closing quote of the literal that `at` is inside of. */
  #stringEnd(at: number): number {
    for (let end = at; end < this.#text.length; end += 1) {
      const unit = this.#text.charCodeAt(end)
      if (unit === QUOTE) return end + 1
      if (unit === BACKSLASH) end += 1
    }
    throw notJson()
  }

  /** Writes an integer without sign or leading zero, if there is one; the general rule has the rest. */
  #integer(): boolean {
    let at = this.#position
    let unit = this.#text.charCodeAt(at)
    if (!(unit >= 0x31 && unit <= 0x39)) return false
    while (isDigit(unit)) {
      at += 1
      unit = this.#text.charCodeAt(at)
    }
    if (unit === 0x2e || unit === 0x45 || unit === 0x65) return false
    this.#out.range(this.#text, this.#position, at)
    this.#position = at
    return true
  }

  #number(): string {
    NUMBER.lastIndex = this.#position
    const match = NUMBER.exec(this.#text)
    if (match === null) throw notJson()
    this.#position = NUMBER.lastIndex
    const [literal, fraction, exponent] = match
    if (fraction === undefined && exponent === undefined) return literal === "-0" ? "0" : literal
    const value = Number(literal)
    if (!Number.isFinite(value) && this.#nonFinite === "null") return "null"
    return pythonFloat(value)
  }

  #word(): string | undefined {
    if (isDigit(this.#text.charCodeAt(this.#position))) return undefined
    const word = WORDS.find((candidate) => this.#text.startsWith(candidate, this.#position))
    if (word === undefined) return undefined
    this.#position += word.length
    const finite = word === "true" || word === "false" || word === "null"
    return finite || this.#nonFinite === "python" ? word : "null"
  }

  /** Passes over a value that is known to be well-formed. */
  #skip(): void {
    let depth = 0
    for (; this.#position < this.#text.length; this.#position += 1) {
      const unit = this.#text.charCodeAt(this.#position)
      if (unit === QUOTE) this.#position = this.#stringEnd(this.#position + 1) - 1
      else if (unit === OPEN_OBJECT || unit === OPEN_ARRAY) depth += 1
      else if (depth === 0 && (unit === COMMA || unit === CLOSE_OBJECT)) return
      else if (unit === CLOSE_OBJECT || unit === CLOSE_ARRAY) depth -= 1
    }
  }

  #whitespace(): void {
    if (this.#text.charCodeAt(this.#position) > 0x20) return
    WHITESPACE.lastIndex = this.#position
    WHITESPACE.test(this.#text)
    this.#position = WHITESPACE.lastIndex
  }

  #colon(): void {
    this.#whitespace()
    this.#expect(COLON)
    this.#whitespace()
  }

  #take(unit: number): boolean {
    if (this.#text.charCodeAt(this.#position) !== unit) return false
    this.#position += 1
    return true
  }

  #expect(unit: number): void {
    if (!this.#take(unit)) throw notJson()
  }
}

/**
 * The canonical form of a JSON text: byte for byte what Python's
 * `json.dumps(json.loads(text), sort_keys=True)` writes; pure ASCII.
 *
 * @throws MalformedError when the text is not JSON (as Python reads it: NaN and Infinity are)
 */
export function canonicalJson(text: string): string {
  return new JsonScanner(text).document()
}

/** Whether Python writes the same escape for what stands after this backslash. */
function isEscapedByPython(unit: number): boolean {
  return ESCAPED.includes(unit)
}

function isDigit(unit: number): boolean {
  return unit >= 0x30 && unit <= 0x39
}

function parseString(literal: string): string {
  try {
    return JSON.parse(literal) as string
  } catch {
    throw notJson()
  }
}

function escapeUnit(unit: string): string {
  return SHORT_ESCAPES[unit] ?? `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`
}

function notJson(): MalformedError {
  return new MalformedError("json", "one JSON value")
}
