import { RuleRefusedError } from "../rule-refused-error.ts"
import { CharacterSet } from "./character-set.ts"
import { characters, choice, type Pattern, REPEAT_MAX, repeat, sequence } from "./pattern.ts"

/** Characters of a pattern's text. */
const PATTERN_CHARACTERS_MAX = 8_192
const DEPTH_MAX = 16
const PUNCTUATION = /^[!-/:-@[-`{-~]$/

/**
 * Reads a pattern of the subset: what it does not know, it refuses.
 *
 * Known: ASCII characters, escaped punctuation, `\xHH`, classes and negated classes, `(?:...)`,
 * `|`, `?`, `{n}` and `{m,n}` with n <= 64.
 * @throws RuleRefusedError that says what, and at which character
 */
export function parsePattern(text: string): Pattern {
  if (text.length > PATTERN_CHARACTERS_MAX) {
    throw new RuleRefusedError(`longer than ${PATTERN_CHARACTERS_MAX} characters`)
  }
  return new PatternParser(text).parse()
}

class PatternParser {
  readonly #text: string
  #at = 0
  #depth = 0

  constructor(text: string) {
    this.#text = text
  }

  parse(): Pattern {
    const pattern = this.#choice()
    if (this.#at < this.#text.length) this.#refuse("a closing parenthesis that closes nothing")
    return pattern
  }

  #choice(): Pattern {
    const options = [this.#sequence()]
    while (this.#take("|")) options.push(this.#sequence())
    return choice(...options)
  }

  #sequence(): Pattern {
    const parts: Pattern[] = []
    while (this.#at < this.#text.length && !"|)".includes(this.#next())) parts.push(this.#counted())
    return sequence(...parts)
  }

  #counted(): Pattern {
    const body = this.#atom()
    const count = this.#count()
    if (count === undefined) return body
    if ("?*+{".includes(this.#next()) && this.#next() !== "") this.#refuse("a repeat of a repeat")
    return repeat(body, count)
  }

  #atom(): Pattern {
    if (this.#take("(?:")) return this.#group()
    if (this.#take("[")) return characters(this.#class())
    if (this.#take("\\")) return characters(CharacterSet.range(...this.#escaped()))
    if ("^$.*+?(){}]".includes(this.#next())) this.#refuse("an operator outside of the subset")
    return characters(CharacterSet.range(...this.#plain()))
  }

  #group(): Pattern {
    this.#depth += 1
    if (this.#depth > DEPTH_MAX) this.#refuse(`groups nested deeper than ${DEPTH_MAX}`)
    const inner = this.#choice()
    if (!this.#take(")")) this.#refuse("a group that is not closed")
    this.#depth -= 1
    return inner
  }

  #count(): { min: number; max: number } | undefined {
    if (this.#take("?")) return { min: 0, max: 1 }
    if (this.#next() !== "{") return undefined
    const match = /^\{(\d{1,2})(?:,(\d{1,2}))?\}/.exec(this.#text.slice(this.#at, this.#at + 8))
    const min = Number(match?.[1])
    const max = Number(match?.[2] ?? match?.[1])
    if (match === null || max > REPEAT_MAX || max < 1 || min > max) {
      return this.#refuse(`a repeat that is not {m,n} with n from 1 to ${REPEAT_MAX}`)
    }
    this.#at += match[0].length
    return { min, max }
  }

  #class(): CharacterSet {
    const isNegated = this.#take("^")
    let set = CharacterSet.empty
    while (!this.#take("]")) set = set.union(this.#classRange())
    if (set.isEmpty) this.#refuse("an empty class")
    return isNegated ? set.complement() : set
  }

  #classRange(): CharacterSet {
    const [from] = this.#classMember()
    if (this.#next() !== "-") return CharacterSet.range(from, from)
    this.#at += 1
    const [to] = this.#classMember()
    if (to < from) this.#refuse("a range that runs backwards")
    return CharacterSet.range(from, to)
  }

  /** Python warns of bare brackets and doubled operators in a class: they must be escaped. */
  #classMember(): readonly [number, number] {
    if (this.#take("\\")) return this.#escaped()
    if ("[]^-".includes(this.#next())) this.#refuse("an operator in a class that is not escaped")
    return this.#plain()
  }

  #escaped(): readonly [number, number] {
    const hex = /^x([0-7][0-9a-fA-F])/.exec(this.#text.slice(this.#at, this.#at + 3))
    if (hex?.[1] !== undefined) {
      this.#at += 3
      const code = Number.parseInt(hex[1], 16)
      return [code, code]
    }
    if (!PUNCTUATION.test(this.#next())) this.#refuse("an escape outside of the subset")
    return this.#plain()
  }

  #plain(): readonly [number, number] {
    const code = this.#text.charCodeAt(this.#at)
    if (!(code >= 0x20 && code < 0x7f)) this.#refuse("a character that is not printable ASCII")
    this.#at += 1
    return [code, code]
  }

  #next(): string {
    return this.#text.charAt(this.#at)
  }

  #take(token: string): boolean {
    if (!this.#text.startsWith(token, this.#at)) return false
    this.#at += token.length
    return true
  }

  #refuse(problem: string): never {
    throw new RuleRefusedError(`${problem}, at character ${this.#at}`)
  }
}
