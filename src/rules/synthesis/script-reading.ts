import { CharacterSet } from "../pattern/character-set.ts"
import { encoded, encodedCaseless, encodedLiteral } from "../pattern/encoded.ts"
import { anyOf, characters, choice, type Pattern, repeat, sequence } from "../pattern/pattern.ts"
import type { Atom, Reading, Step } from "./atom.ts"
import { valueStart } from "./value-start.ts"

const TOKENS_MAX = 24
const ATTRIBUTES_MAX = 64
const CODE_MAX = 48
const NAME_MAX = 24
const TOKEN =
  /(?<closing><\/[a-z]{1,24})|(?<tag><!?[a-z][\w-]{0,24})|(?<handler>\bon[a-z]{3,24}\s{0,8}=)|(?<scheme>(?:java|vb)\s{0,4}script\s{0,4}:|data:text\/html)|(?<call>[a-z_$][\w$]{0,32}\s{0,4}(?=[(`]))|(?<hole>\$\{)|(?<breakout>["'`>])/gi

/** Functions that proofs of concept call, and those through which a script does harm. */
const SINKS = "alert confirm prompt print eval fetch atob import function settimeout".split(" ")

const LETTERS = CharacterSet.range(0x61, 0x7a).withBothCases()
const NAME = LETTERS.union(CharacterSet.range(0x30, 0x39)).union(CharacterSet.of("-_$"))
const ASCII = CharacterSet.range(0x00, 0x7f)
const beyondAscii = CharacterSet.range(0, 0x7f).complement()
const inTag = textOf(ASCII.without(CharacterSet.of("<>%")))
/** Without `=`, so that it is the last handler before the code that is meant. */
const inCode = textOf(ASCII.without(CharacterSet.of("<>%=")))
const attributes = sequence(
  encoded(CharacterSet.of("\t\n\f\r +/\"'")),
  repeat(inTag, { min: 0, max: ATTRIBUTES_MAX }),
)
const code = repeat(inCode, { min: 0, max: CODE_MAX })
const blanks = repeat(encoded(CharacterSet.of("\t\n\f\r +")), { min: 0, max: 4 })
const lessThan = choice(encoded(CharacterSet.of("<")), encodedLiteral("\\u003c"))
const name = sequence(encoded(LETTERS), repeat(encoded(NAME), { min: 0, max: NAME_MAX }))
/** What HTML and URLs pass over inside of a scheme: blanks, and the same as references. */
const passedOver = choice(
  encoded(CharacterSet.of("\t\n\r")),
  sequence(
    encoded(CharacterSet.of("&")),
    repeat(encoded(NAME.union(CharacterSet.of("#"))), { min: 2, max: 10 }),
    encoded(CharacterSet.of(";")),
  ),
)

function textOf(set: CharacterSet): Pattern {
  return choice(encoded(set), characters(beyondAscii))
}

/** Reads a cross-site script as the tags, handlers, schemes and calls that make it run. */
export function readScript(payload: string): Reading {
  const tokens = [...payload.matchAll(TOKEN)].slice(0, TOKENS_MAX).map(({ groups = {} }) => groups)
  const atoms = tokens.map((token, index) => atomOf(token, tokens[index - 1]))
  const [first, ...rest] = atoms
  const started = first === undefined ? [] : [{ ...first, gap: blanks }, ...rest]
  return { atoms: [valueStart, ...started], limits: [] }
}

type Token = Readonly<Record<string, string | undefined>>

function atomOf(token: Token, before: Token | undefined): Atom {
  const kind = Object.keys(token).find((key) => token[key] !== undefined) ?? ""
  return { name: kind, ladder: ladderOf(kind, token[kind] ?? ""), gap: gapOf(kind, before) }
}

function gapOf(kind: string, before: Token | undefined): Pattern {
  if (kind === "handler" && before?.tag !== undefined) return attributes
  return kind === "breakout" ? blanks : code
}

function ladderOf(kind: string, text: string): readonly Step[] {
  switch (kind) {
    case "tag":
      return tagLadder(text.slice(1))
    case "handler":
      return handlerLadder(text.replace(/[^a-z]/gi, ""))
    case "scheme":
      return schemeLadder(text.replace(/\s/g, ""))
    case "call":
      return callLadder(text.trim())
    case "breakout":
      return [
        { pattern: encodedLiteral(text), evidence: 1 },
        { pattern: encoded(CharacterSet.of("\"'`>")), evidence: 1 },
      ]
    default:
      return [{ pattern: encodedCaseless(text), evidence: 2 }]
  }
}

function tagLadder(tag: string): readonly Step[] {
  const exact = { pattern: sequence(lessThan, encodedCaseless(tag)), evidence: 1.5 }
  if (/^script$/i.test(tag)) return [{ ...exact, evidence: 3.5 }]
  return [exact, { pattern: sequence(lessThan, name), evidence: 1 }]
}

function handlerLadder(handler: string): readonly Step[] {
  const equals = sequence(blanks, encoded(CharacterSet.of("=")))
  const any = sequence(encodedCaseless("on"), repeat(encoded(LETTERS), { min: 3, max: NAME_MAX }))
  return [
    { pattern: sequence(encodedCaseless(handler), equals), evidence: 4 },
    { pattern: sequence(any, equals), evidence: 3.5 },
  ]
}

function schemeLadder(scheme: string): readonly Step[] {
  const [first = "", ...rest] = Array.from(scheme)
  const split = repeat(passedOver, { min: 0, max: 2 })
  const spread = rest.flatMap((character) => [split, encodedCaseless(character)])
  return [
    { pattern: encodedCaseless(scheme), evidence: 4 },
    { pattern: sequence(encodedCaseless(first), ...spread), evidence: 4 },
  ]
}

function callLadder(callee: string): readonly Step[] {
  const opening = sequence(blanks, encoded(CharacterSet.of("(`")))
  const isSink = SINKS.includes(callee.toLowerCase())
  return [
    { pattern: sequence(encodedCaseless(callee), opening), evidence: isSink ? 3 : 1.5 },
    ...(isSink ? [{ pattern: sequence(anyOf(SINKS, encodedCaseless), opening), evidence: 3 }] : []),
    { pattern: encoded(CharacterSet.of("(`")), evidence: 0.5 },
  ]
}
