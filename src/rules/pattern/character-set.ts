const ASCII_MAX = 0x7f
const ASCII_ALL = (1n << 128n) - 1n
const ASCII_CODES = Array.from({ length: ASCII_MAX + 1 }, (_, code) => code)

/**
 * A set of characters as patterns need it: each ASCII character by itself, all others together.
 *
 * Patterns are ASCII, so nothing tells one character beyond it from another.
 */
export class CharacterSet {
  static readonly empty = new CharacterSet(0n, false)

  /** Bit c = the character with code c. */
  readonly #ascii: bigint
  readonly #hasOthers: boolean
  #codes: readonly number[] | undefined

  private constructor(ascii: bigint, hasOthers: boolean) {
    this.#ascii = ascii
    this.#hasOthers = hasOthers
  }

  /** Every character of the text; a character beyond ASCII stands for all of those. */
  static of(text: string): CharacterSet {
    const codes = Array.from(text, (character) => character.codePointAt(0) ?? 0)
    const ascii = codes.filter((code) => code <= ASCII_MAX)
    return new CharacterSet(bitsOf(ascii), ascii.length < codes.length)
  }

  /** Both ends included; 0..127. */
  static range(from: number, to: number): CharacterSet {
    const codes = Array.from({ length: to - from + 1 }, (_, index) => from + index)
    return new CharacterSet(bitsOf(codes), false)
  }

  get isEmpty(): boolean {
    return this.#ascii === 0n && !this.#hasOthers
  }

  /** True where characters beyond ASCII are members. */
  get hasOthers(): boolean {
    return this.#hasOthers
  }

  has(code: number): boolean {
    return code > ASCII_MAX ? this.#hasOthers : ((this.#ascii >> BigInt(code)) & 1n) === 1n
  }

  union(other: CharacterSet): CharacterSet {
    return new CharacterSet(this.#ascii | other.#ascii, this.#hasOthers || other.#hasOthers)
  }

  without(other: CharacterSet): CharacterSet {
    return new CharacterSet(this.#ascii & ~other.#ascii, this.#hasOthers && !other.#hasOthers)
  }

  intersects(other: CharacterSet): boolean {
    return (this.#ascii & other.#ascii) !== 0n || (this.#hasOthers && other.#hasOthers)
  }

  equals(other: CharacterSet): boolean {
    return this.#ascii === other.#ascii && this.#hasOthers === other.#hasOthers
  }

  /** Everything else, characters beyond ASCII included. */
  complement(): CharacterSet {
    return new CharacterSet(ASCII_ALL & ~this.#ascii, !this.#hasOthers)
  }

  /** Upper case where lower case is a member, and the other way round; ASCII alone. */
  withBothCases(): CharacterSet {
    const codes = this.codes()
    const swapped = codes.flatMap((code) => swapCase(code))
    return new CharacterSet(this.#ascii | bitsOf(swapped), this.#hasOthers)
  }

  /** The ASCII members, ascending. */
  codes(): readonly number[] {
    this.#codes ??= ASCII_CODES.filter((code) => this.has(code))
    return this.#codes
  }
}

function bitsOf(codes: readonly number[]): bigint {
  return codes.reduce((bits, code) => bits | (1n << BigInt(code)), 0n)
}

function swapCase(code: number): readonly number[] {
  const letter = String.fromCharCode(code)
  if (/^[a-z]$/.test(letter)) return [code - 32]
  return /^[A-Z]$/.test(letter) ? [code + 32] : []
}
