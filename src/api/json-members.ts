import { HttpError } from "./http-error.ts"

const DEPTH_MAX = 1_000

const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const LOWER_U = 0x75
const OPEN_OBJECT = 0x7b
const CLOSE_OBJECT = 0x7d
const OPEN_ARRAY = 0x5b
const CLOSE_ARRAY = 0x5d

/** The longest scalar that is no string: more digits than any producer writes. */
const SCALAR_BYTES_MAX = 4_096
/** Beyond RFC 8259: evidence may hold what Python's `json` writes for floats that are not numbers. */
const SCALAR = /^(?:-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null|NaN|-?Infinity)$/
const SHORT_ESCAPES: ReadonlySet<number> = new Set(new TextEncoder().encode('"\\/bfnrt'))

/**
 * Cuts the members out of a JSON object without rewriting them: a digest over evidence is taken over
 * numbers as written, which parsing and printing again would change.
 *
 * The whole text is checked against the grammar, in one pass and without recursion. Of a name that
 * comes twice the last one wins.
 *
 * @param bytes valid UTF-8 without a byte order mark
 * @returns views into `bytes` of those `names` that are there
 * @throws {HttpError} MALFORMED_JSON; MALFORMED when the value is no object
 */
export function sliceMembers(
  bytes: Uint8Array,
  names: readonly string[],
): ReadonlyMap<string, Uint8Array> {
  const members = new JsonScanner(bytes, new Set(names)).document()
  if (members === undefined) throw new HttpError("MALFORMED", "expected an object", "body")
  return members
}

class JsonScanner {
  readonly #bytes: Uint8Array
  readonly #text = new TextDecoder()
  readonly #wanted: ReadonlySet<string>
  #at = 0

  constructor(bytes: Uint8Array, wanted: ReadonlySet<string>) {
    this.#bytes = bytes
    this.#wanted = wanted
  }

  /** The members of an object, undefined for any other well-formed value. */
  document(): Map<string, Uint8Array> | undefined {
    this.#space()
    const members = this.#take(OPEN_OBJECT) ? this.#members() : undefined
    if (members === undefined) this.#value()
    this.#space()
    if (this.#at !== this.#bytes.length) this.#fail()
    return members
  }

  #members(): Map<string, Uint8Array> {
    const members = new Map<string, Uint8Array>()
    this.#space()
    if (this.#take(CLOSE_OBJECT)) return members
    do {
      const nameStart = this.#space()
      this.#name()
      const name = this.#parsed(nameStart)
      this.#colon()
      const start = this.#space()
      this.#value()
      // Only the wanted names: millions of others would cost far more memory than the body.
      if (this.#wanted.has(name)) members.set(name, this.#bytes.subarray(start, this.#at))
      this.#space()
    } while (this.#take(COMMA))
    this.#expect(CLOSE_OBJECT)
    return members
  }

  /** Passes over one value. `closers` stands in for recursion, which hostile depth would exhaust. */
  #value(): void {
    const closers: number[] = []
    for (;;) {
      if (this.#opens(closers)) continue
      if (!this.#goesOn(closers)) return
    }
  }

  /** Reads a scalar or an opening bracket; true when the container just opened has a first value. */
  #opens(closers: number[]): boolean {
    if (closers.length >= DEPTH_MAX) this.#fail()
    this.#space()
    if (this.#take(OPEN_OBJECT)) {
      closers.push(CLOSE_OBJECT)
      this.#space()
      if (this.#peek() === CLOSE_OBJECT) return false
      this.#nextName()
      return true
    }
    if (this.#take(OPEN_ARRAY)) {
      closers.push(CLOSE_ARRAY)
      this.#space()
      return this.#peek() !== CLOSE_ARRAY
    }
    this.#scalar()
    return false
  }

  /** Closes the containers that end here; true when a comma announces one more value. */
  #goesOn(closers: number[]): boolean {
    for (let closer = closers.at(-1); closer !== undefined; closer = closers.at(-1)) {
      this.#space()
      if (this.#take(COMMA)) {
        if (closer === CLOSE_OBJECT) this.#nextName()
        return true
      }
      this.#expect(closer)
      closers.pop()
    }
    return false
  }

  #name(): void {
    if (this.#peek() !== QUOTE) this.#fail()
    this.#string()
  }

  #nextName(): void {
    this.#space()
    this.#name()
    this.#colon()
  }

  #colon(): void {
    this.#space()
    this.#expect(COLON)
  }

  /** The string between `start` and here, its escapes resolved. */
  #parsed(start: number): string {
    return String(JSON.parse(this.#text.decode(this.#bytes.subarray(start, this.#at))))
  }

  #scalar(): void {
    if (this.#peek() === QUOTE) {
      this.#string()
      return
    }
    const start = this.#at
    while (isScalarByte(this.#peek())) this.#at++
    if (this.#at - start > SCALAR_BYTES_MAX) this.#fail()
    if (!SCALAR.test(this.#text.decode(this.#bytes.subarray(start, this.#at)))) this.#fail()
  }

  #string(): void {
    this.#at++
    for (let byte = this.#peek(); byte !== QUOTE; byte = this.#peek()) {
      if (byte < 0x20) this.#fail()
      if (byte === BACKSLASH) this.#escape()
      this.#at++
    }
    this.#at++
  }

  /** From the backslash to the last byte of the escape. */
  #escape(): void {
    this.#at++
    const byte = this.#peek()
    if (byte === LOWER_U) {
      for (let digit = 0; digit < 4; digit++) {
        this.#at++
        if (!isHexDigit(this.#peek())) this.#fail()
      }
    } else if (!SHORT_ESCAPES.has(byte)) this.#fail()
  }

  /** Passes over white space; returns where it ends. */
  #space(): number {
    for (let byte = this.#peek(); isSpace(byte); byte = this.#peek()) this.#at++
    return this.#at
  }

  /** The next byte; -1, which no rule accepts, at the end. */
  #peek(): number {
    return this.#bytes[this.#at] ?? -1
  }

  #take(byte: number): boolean {
    if (this.#peek() !== byte) return false
    this.#at++
    return true
  }

  #expect(byte: number): void {
    if (!this.#take(byte)) this.#fail()
  }

  #fail(): never {
    throw new HttpError("MALFORMED_JSON")
  }
}

function isHexDigit(byte: number): boolean {
  const letter = byte | 0x20
  return (byte >= 0x30 && byte <= 0x39) || (letter >= 0x61 && letter <= 0x66)
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09
}

/** Letters, digits, `+`, `-` and `.`: what numbers and literals are made of. */
function isScalarByte(byte: number): boolean {
  const letter = byte | 0x20
  return (letter >= 0x61 && letter <= 0x7a) || (byte >= 0x2b && byte <= 0x39 && byte !== COMMA)
}
