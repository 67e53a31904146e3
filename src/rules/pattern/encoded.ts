import { CharacterSet } from "./character-set.ts"
import { characters, choice, literal, type Pattern, repeat, sequence } from "./pattern.ts"

const HEX = "0123456789ABCDEF"
/** A WAF sees the request raw: what an application decodes twice comes encoded thrice at most. */
const ENCODED_AGAIN_MAX = 2

const PERCENT = CharacterSet.of("%")

/**
 * A character of the set as it is, or percent-encoded up to three times over.
 * @param set ASCII; among others `%` only stands for its plain form
 */
export function encoded(set: CharacterSet): Pattern {
  // encoding `%` appends 25 to it, each time over
  if (set.equals(PERCENT)) {
    return sequence(literal("%"), repeat(literal("25"), { min: 0, max: 1 + ENCODED_AGAIN_MAX }))
  }
  return choice(characters(set), ...percentForms(set))
}

/** The text with each character encoded or not. */
export function encodedLiteral(text: string): Pattern {
  return sequence(...Array.from(text, (character) => encoded(CharacterSet.of(character))))
}

/** The same in any mix of cases. */
export function encodedCaseless(text: string): Pattern {
  const sets = Array.from(text, (character) => CharacterSet.of(character).withBothCases())
  return sequence(...sets.map(encoded))
}

/** A byte given by its two hexadecimal digits, percent-encoded up to three times over. */
export function encodedByte(hex: string): Pattern {
  const digits = Array.from(hex, digit)
  return hex.startsWith("2")
    ? sequence(literal("%2"), again("52"), ...digits.slice(1))
    : sequence(literal("%"), again("25"), ...digits)
}

/** A byte of which a digit at least is itself percent-encoded: `%2%65`, `%%32e`, `%25%32%65`. */
export function digitByDigit(hex: string): Pattern {
  const [high = "", low = ""] = Array.from(hex, (value) => value)
  const percent = sequence(literal("%"), again("25"))
  return choice(
    sequence(percent, digit(high), encodedDigit(low)),
    sequence(percent, encodedDigit(high), choice(digit(low), encodedDigit(low))),
  )
}

function encodedDigit(value: string): Pattern {
  const codes = CharacterSet.of(value).withBothCases().codes()
  const bytes = codes.map((code) => literal(code.toString(16)))
  return sequence(literal("%"), again("25"), choice(...bytes))
}

export const hexDigit = characters(CharacterSet.of("0123456789abcdefABCDEF"))

/** A character that JSON writes with a backslash, as it stands in a body nobody has decoded. */
export const jsonEscape = sequence(
  literal("\\"),
  choice(characters(CharacterSet.of("nrtfb\"'/\\")), sequence(literal("u00"), hexDigit, hexDigit)),
)

/** `%41`, `%2541`: what is encoded again only gains a `25` behind the first percent sign. */
function percentForms(set: CharacterSet): readonly Pattern[] {
  const byLow = new Map<string, string>()
  let lowOfTwo = ""
  for (let high = 0; high < 8; high++) {
    const low = lowDigits(set, high)
    if (high === 2) lowOfTwo = low.replace("5", "")
    else if (low !== "") byLow.set(low, `${byLow.get(low) ?? ""}${HEX.charAt(high)}`)
  }
  const plain = [...byLow].map(([low, high]) => sequence(digit(high), digit(low)))
  return [
    ...(plain.length === 0 ? [] : [sequence(literal("%"), again("25"), choice(...plain))]),
    // %25 and %27 begin alike, so here the digits that repeat are read as 2 52 52 7
    ...(lowOfTwo === "" ? [] : [sequence(literal("%2"), again("52"), digit(lowOfTwo))]),
  ]
}

function again(digits: string): Pattern {
  return repeat(literal(digits), { min: 0, max: ENCODED_AGAIN_MAX })
}

function digit(values: string): Pattern {
  return characters(CharacterSet.of(values).withBothCases())
}

function lowDigits(set: CharacterSet, high: number): string {
  return Array.from(HEX)
    .filter((_, low) => set.has(high * 16 + low))
    .join("")
}
