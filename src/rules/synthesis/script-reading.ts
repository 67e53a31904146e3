import { CharacterSet } from "../pattern/character-set.ts"
import { encoded, encodedCaseless, encodedLiteral, hexDigit } from "../pattern/encoded.ts"
import {
  anyOf,
  characters,
  choice,
  literal,
  NOTHING,
  optional,
  type Pattern,
  repeat,
  sequence,
} from "../pattern/pattern.ts"
import type { Atom, Reading, Step } from "./atom.ts"
import { valueStart } from "./value-start.ts"

const TOKENS_MAX = 24
const PAIRS_MAX = 64
const CODE_MAX = 48
const BEGINNING_MAX = 24
const NAME_MAX = 24
const TOKEN =
  /(?<closing><\/[a-z]{1,24})|(?<tag><!?[a-z][\w-]{0,24})|(?<handler>\bon[a-z]{3,24}\s{0,8}=)|(?<scheme>(?:java|vb)\s{0,4}script\s{0,4}:|data:text\/html)|(?<call>[a-z_$][\w$]{0,32}(?=["'\])]{0,3}\s{0,4}[(`]))|(?<source>\b(?:src|href)\s{0,4}=["'`\s]{0,4}(?:(?:https?:)?\/\/[\w.-]{4,24})?)|(?<property>\bdocument\.(?:cookie|domain|location|body|documentElement)\b|\blocalStorage\b|\binnerHTML\b)|(?<srcdoc>\bsrcdoc\s{0,4}=)|(?<hole>\$\{)|(?<breakout>["'`>])/gi

/** Functions that proofs of concept call, and those through which a script does harm. */
const SINKS = "alert confirm prompt print eval fetch atob import function settimeout".split(" ")

/** Where a script finds what is worth stealing, and what it changes of a page. */
const PROPERTIES = [
  ...["cookie", "domain", "location", "body", "documentElement"].map((name) => `document.${name}`),
  ...["localStorage", "innerHTML"],
]

const LETTERS = CharacterSet.range(0x61, 0x7a).withBothCases()
const LETTERS_AND_DIGITS = LETTERS.union(CharacterSet.range(0x30, 0x39))
const NAME = LETTERS_AND_DIGITS.union(CharacterSet.of("-_$"))
/** Without NUL, which ends a text wherever it is kept. */
const ASCII = CharacterSet.range(0x01, 0x7f)
const beyondAscii = CharacterSet.range(0, 0x7f).complement()
const inTag = textOf(ASCII.without(CharacterSet.of("<>%")))
/** Without `=`, so that it is the last handler before the code that is meant. */
const inCode = textOf(ASCII.without(CharacterSet.of("<>%=")))
const jsonBlank = sequence(literal("\\"), characters(CharacterSet.of("nrtf")))
/** What may stand between two attributes; right before one, so that its name has one beginning. */
const delimiter = choice(encoded(CharacterSet.of("\t\n\f\r +/\"'")), jsonBlank)
const attributes = sequence(delimiter, optional(sequence(pairs(inTag), delimiter)))
/** What may stand before the value of an attribute; `=` alone where that has no quotes. */
const valueDelimiter = choice(encoded(CharacterSet.of("\t\n\f\r +/\"'`=")), jsonBlank)
const upToValue = sequence(delimiter, pairs(inTag), valueDelimiter)
/** From a tag's name into what it holds. */
const inContent = textOf(ASCII.without(CharacterSet.of("<%")))
const content = pairs(inContent)
/** The same, but not far: prose that names a tag may name what scripts read further on. */
const beginning = sequence(
  pairs(inTag),
  encoded(CharacterSet.of(">")),
  repeat(inContent, { min: 0, max: BEGINNING_MAX }),
)
const code = repeat(inCode, { min: 0, max: CODE_MAX })
/** Without `:`, so that it is the last scheme before the code that is meant. */
const url = repeat(textOf(ASCII.without(CharacterSet.of("<>%:"))), { min: 0, max: CODE_MAX })
const blanks = repeat(choice(encoded(CharacterSet.of("\t\n\f\r +")), jsonBlank), {
  min: 0,
  max: 4,
})
const equals = sequence(blanks, encoded(CharacterSet.of("=")))
const lessThan = choice(encoded(CharacterSet.of("<")), encodedLiteral("\\u003c"))
/** `on` and the name of an event, none of which begins with `li` as `online` would have it (HTML, 8.1.8.2). */
const handlerName = sequence(
  encodedCaseless("on"),
  choice(
    encoded(LETTERS.without(CharacterSet.of("lL"))),
    sequence(encodedCaseless("l"), encoded(LETTERS.without(CharacterSet.of("iI")))),
  ),
  repeat(encoded(LETTERS), { min: 2, max: NAME_MAX }),
)
const name = sequence(encoded(LETTERS), repeat(encoded(NAME), { min: 0, max: NAME_MAX }))
/** Any character reference (HTML, 13.5); digits and letters are not percent-encoded. */
const reference = sequence(
  encoded(CharacterSet.of("&")),
  repeat(choice(encoded(CharacterSet.of("#")), characters(LETTERS_AND_DIGITS)), {
    min: 2,
    max: 10,
  }),
  encoded(CharacterSet.of(";")),
)
/** Between `=` and a URL. */
const opened = repeat(
  choice(encoded(CharacterSet.of("\t\n\f\r +\"'`")), jsonBlank, literal('\\"')),
  { min: 0, max: 4 },
)
/** Another host. */
const elsewhere = sequence(
  optional(sequence(encodedCaseless("http"), optional(encodedCaseless("s")), encodedLiteral(":"))),
  encodedLiteral("//"),
)
const schemeBlank = choice(encoded(CharacterSet.of("\t\n\r")), jsonBlank)

/** Up to 2 * PAIRS_MAX + 1 characters: two for each count, for a repeat may not be higher. */
function pairs(one: Pattern): Pattern {
  return sequence(repeat(sequence(one, one), { min: 0, max: PAIRS_MAX }), optional(one))
}

function textOf(set: CharacterSet): Pattern {
  return choice(encoded(set), characters(beyondAscii))
}

/** Reads a cross-site script as the tags, handlers, schemes and calls that make it run. */
export function readScript(payload: string): Reading {
  const tokens = scriptTokens(withoutReferences(payload))
  const atoms = tokens.map((token, index) => atomOf(token, tokens[index - 1]))
  const [first, ...rest] = atoms
  const started = first === undefined ? [] : [{ ...first, gap: blanks }, ...rest]
  return { atoms: [valueStart, ...started], others: disguisedCalls, limits: [] }
}

/** Quotes and brackets count where the attack breaks out of what it was put into, not further on. */
function scriptTokens(text: string): readonly Token[] {
  const tokens: Token[] = []
  for (const { groups = {} } of text.matchAll(TOKEN)) {
    if (tokens.length >= TOKENS_MAX) break
    const isInside = tokens.some(({ breakout }) => breakout === undefined)
    if (groups.breakout !== undefined && isInside) continue
    if (groups.source !== undefined && !isScript(tokens.at(-1))) continue
    tokens.push(groups)
  }
  return tokens
}

/** Of a script's source alone can a script come. */
function isScript(token: Token | undefined): boolean {
  return token?.tag?.toLowerCase() === "<script"
}

/** Schemes are read through the references that disguise them. */
function withoutReferences(payload: string): string {
  return payload
    .replace(/&#x0{0,6}([2-7][0-9a-f]);?/gi, (_, hex: string) => fromCode(Number.parseInt(hex, 16)))
    .replace(/&#0{0,6}(\d{2,3});?/g, (whole, code: string) =>
      Number(code) < 127 ? fromCode(Number(code)) : whole,
    )
    .replace(/&(?:tab|newline);|&#x?0{0,6}(?:9|10|13|[ad]);?/gi, "")
    .replace(/&colon;/gi, ":")
}

function fromCode(code: number): string {
  return String.fromCharCode(code)
}

type Token = Readonly<Record<string, string | undefined>>

function atomOf(token: Token, before: Token | undefined): Atom {
  const kind = Object.keys(token).find((key) => token[key] !== undefined) ?? ""
  const isInTag = before?.tag !== undefined
  return {
    name: kind,
    ladder: ladderOf(kind, { text: token[kind] ?? "", isInTag }),
    gap: gapOf(kind, before),
  }
}

function gapOf(kind: string, before: Token | undefined): Pattern {
  if (kind === "breakout") return blanks
  if (before?.scheme !== undefined) return url
  if (before?.tag === undefined) return code
  if (kind === "scheme") return upToValue
  if (kind === "property") return beginning
  return kind === "call" ? content : attributes
}

function ladderOf(
  kind: string,
  { text, isInTag }: { readonly text: string; readonly isInTag: boolean },
): readonly Step[] {
  switch (kind) {
    case "tag":
      return tagLadder(text.slice(1))
    case "handler":
      return handlerLadder(text.replace(/[^a-z]/gi, ""), isInTag)
    case "scheme":
      return schemeLadder(text.replace(/\s/g, ""), isInTag)
    case "source":
      return sourceLadder(text)
    case "property":
      return [
        { pattern: encodedLiteral(text), evidence: 2.5 },
        { pattern: anyOf(PROPERTIES, encodedLiteral), evidence: 2.5 },
      ]
    case "srcdoc":
      return [{ pattern: sequence(encodedCaseless("srcdoc"), equals), evidence: 4.5 }]
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
  if (/^script$/i.test(tag)) return [{ ...exact, evidence: 5 }]
  return [exact, { pattern: sequence(lessThan, name), evidence: 1 }]
}

/** Prose and code hold names like those of handlers; in tags alone few other attributes do. */
function handlerLadder(handler: string, isInTag: boolean): readonly Step[] {
  return [
    { pattern: sequence(encodedCaseless(handler), equals), evidence: 4.5 },
    { pattern: sequence(handlerName, equals), evidence: isInTag ? 4.5 : 3 },
  ]
}

/** Ordinary pages have scripts of other hosts as well: only the name of the host says more. */
function sourceLadder(text: string): readonly Step[] {
  const start = sequence(encodedCaseless(/^[a-z]*/i.exec(text)?.[0] ?? ""), equals, opened)
  const host = /\/\/([\w.-]+)$/.exec(text)?.[1]
  if (host === undefined) return [{ pattern: start, evidence: 1 }]
  return [
    { pattern: sequence(start, elsewhere, encodedCaseless(host)), evidence: 3 },
    { pattern: sequence(start, reference, reference, reference), evidence: 3 },
    { pattern: sequence(start, elsewhere), evidence: 1 },
  ]
}

/** URLs pass over blanks inside of a scheme; HTML reads references as their characters. */
function schemeLadder(scheme: string, isInTag: boolean): readonly Step[] {
  const evidence = isInTag ? 4.5 : 3.5
  const letters = Array.from(scheme, encodedCaseless)
  const blank = repeat(choice(schemeBlank, reference), { min: 0, max: 2 })
  const referred = letters.map((letter) => choice(letter, reference))
  return [
    { pattern: sequence(...letters), evidence },
    { pattern: spread(letters, blank), evidence },
    { pattern: spread(referred, repeat(schemeBlank, { min: 0, max: 2 })), evidence },
  ]
}

function spread(letters: readonly Pattern[], between: Pattern): Pattern {
  return sequence(
    ...letters.flatMap((letter, index) => (index === 0 ? [letter] : [between, letter])),
  )
}

/** What may stand between a function, in brackets or quotes as well, and its arguments. */
const opening = sequence(
  repeat(encoded(CharacterSet.of("\t\n\f\r +\"'\\])")), { min: 0, max: 4 }),
  choice(encoded(CharacterSet.of("(`")), reference),
)

const digits = characters(CharacterSet.range(0x30, 0x39))
const zeros = repeat(literal("0"), { min: 0, max: 4 })
/** The code of a letter in hexadecimal, and in decimal. */
const letterHex = sequence(characters(CharacterSet.of("4567")), hexDigit)
const letterDecimal = choice(
  sequence(characters(CharacterSet.of("6789")), digits),
  sequence(literal("1"), characters(CharacterSet.of("012")), digits),
)
/** A letter as JavaScript or HTML escape it, which nobody does in a name who is not hiding it. */
const escapedLetter = choice(
  sequence(
    encodedLiteral("\\"),
    literal("u"),
    choice(sequence(literal("00"), letterHex), sequence(encodedLiteral("{"), zeros, letterHex)),
  ),
  sequence(
    encodedLiteral("&#"),
    choice(
      sequence(characters(CharacterSet.of("xX")), zeros, letterHex),
      sequence(zeros, letterDecimal),
    ),
  ),
)
const anyHandler = sequence(delimiter, handlerName, equals)
/** What begins a script, and what may stand between that and what disguises a name in it. */
const beginnings: readonly (readonly [string, Step, Pattern])[] = [
  ["handler", { pattern: anyHandler, evidence: 4.5 }, code],
  ...tagLadder("script").map((step) => ["tag", step, content] as const),
  ...schemeLadder("javascript:", false)
    .slice(-1)
    .map((step) => ["scheme", step, url] as const),
]
const globals = ["window", "self", "top", "globalThis", "parent", "frames"]
const disguises: readonly (readonly [string, Step])[] = [
  ["escape", { pattern: escapedLetter, evidence: 3 }],
  [
    "member",
    {
      pattern: sequence(anyOf(globals, encodedCaseless), blanks, encoded(CharacterSet.of("["))),
      evidence: 3,
    },
  ],
]
/** Scripts of any kind in which letters are escaped, or functions called as members of the page. */
const disguisedCalls: readonly (readonly Atom[])[] = beginnings.flatMap(([name, step, gap]) =>
  disguises.map(([disguise, hiding]) => [
    { name, ladder: [step], gap: NOTHING },
    { name: disguise, ladder: [hiding], gap },
  ]),
)

function callLadder(callee: string): readonly Step[] {
  const isSink = SINKS.includes(callee.toLowerCase())
  return [
    { pattern: sequence(encodedCaseless(callee), opening), evidence: isSink ? 3 : 1.5 },
    ...(isSink ? [{ pattern: sequence(anyOf(SINKS, encodedCaseless), opening), evidence: 3 }] : []),
    { pattern: encoded(CharacterSet.of("(`")), evidence: 0.5 },
  ]
}
