import type { CharacterSet } from "./character-set.ts"
import type { Pattern } from "./pattern.ts"

/** What each of the three engines takes escaped, outside and inside a class. */
const ESCAPED_OUTSIDE = new Set("\\^$.|?*+()[]{}")
const ESCAPED_INSIDE = new Set("\\^-[]")

/** Readings share most of their parts, and a search prints them thousands of times. */
const printed = new WeakMap<Pattern, string>()

/** The pattern as text: the same in Python's `re`, RE2 and JavaScript with the flag `u`. */
export function printPattern(pattern: Pattern): string {
  const known = printed.get(pattern)
  if (known !== undefined) return known
  const text = print(pattern)
  printed.set(pattern, text)
  return text
}

function print(pattern: Pattern): string {
  switch (pattern.kind) {
    case "set":
      return printSet(pattern.set)
    case "sequence":
      return pattern.parts.map(printPart).join("")
    case "choice":
      return pattern.options.map(printPattern).join("|")
    case "repeat":
      return printAtom(pattern.body) + printCount(pattern)
  }
}

function printPart(part: Pattern): string {
  return part.kind === "choice" ? `(?:${printPattern(part)})` : printPattern(part)
}

function printAtom(body: Pattern): string {
  return body.kind === "set" ? printPattern(body) : `(?:${printPattern(body)})`
}

function printCount({ min, max }: { min: number; max: number }): string {
  if (min === 0 && max === 1) return "?"
  return min === max ? `{${min}}` : `{${min},${max}}`
}

/** A class is negated where it holds characters beyond ASCII: those cannot be listed. */
function printSet(set: CharacterSet): string {
  const codes = set.codes()
  const [only] = codes
  if (set.hasOthers) return `[^${printRanges(set.complement().codes())}]`
  if (codes.length === 1 && only !== undefined) return printCode(only, ESCAPED_OUTSIDE)
  return `[${printRanges(codes)}]`
}

function printRanges(codes: readonly number[]): string {
  const ranges: { from: number; to: number }[] = []
  for (const code of codes) {
    const last = ranges.at(-1)
    if (last !== undefined && last.to === code - 1) last.to = code
    else ranges.push({ from: code, to: code })
  }
  return ranges.map(printRange).join("")
}

function printRange({ from, to }: { from: number; to: number }): string {
  const [first, last] = [printCode(from, ESCAPED_INSIDE), printCode(to, ESCAPED_INSIDE)]
  if (from === to) return first
  return to === from + 1 ? first + last : `${first}-${last}`
}

function printCode(code: number, escaped: ReadonlySet<string>): string {
  const character = String.fromCharCode(code)
  if (code < 0x20 || code === 0x7f) return `\\x${code.toString(16).padStart(2, "0")}`
  return escaped.has(character) ? `\\${character}` : character
}
