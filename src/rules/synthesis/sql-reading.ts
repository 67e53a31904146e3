import { CharacterSet } from "../pattern/character-set.ts"
import { encoded, encodedCaseless, hexDigit, jsonEscape } from "../pattern/encoded.ts"
import {
  anyOf,
  characters,
  choice,
  literal,
  optional,
  type Pattern,
  repeat,
  sequence,
} from "../pattern/pattern.ts"
import type { Atom, Reading, Step } from "./atom.ts"
import { valueStart } from "./value-start.ts"

const QUOTES = CharacterSet.of("'\"`")
const PASSED_CHARACTERS = CharacterSet.of("\t\n\v\f\r +(),").union(QUOTES)
const WORD = CharacterSet.of("_$@.")
  .union(CharacterSet.range(0x30, 0x39))
  .union(CharacterSet.range(0x61, 0x7a).withBothCases())
const COMPARING = CharacterSet.of("=<>!")

const GAP_MAX = 8
const COMMENT_MAX = 64
const WORD_MAX = 32
const OPERAND_WORDS_MAX = 4
const EXPRESSION_MAX = 48
const TOKENS_MAX = 32

const LOGIC = ["or", "and", "xor", "||", "&&"]
const COMPARING_WORDS = ["like", "glob", "is", "in", "between", "regexp", "rlike", "not"]
/** By word, the evidence that it is (see `Step`). */
const KEYWORDS: ReadonlyMap<string, number> = new Map([
  ...keywords("sleep benchmark waitfor pg_sleep load_file outfile xp_cmdshell exec", 5),
  ...keywords("union select drop insert delete update having", 3),
  ...keywords("distinct from where order table into values exists case delay limit group", 2),
  ...keywords("all not null by then else end when as set is like between glob regexp in", 1),
])
const TOKEN =
  /(?<comment>\/\*[^*]{0,200}\*\/)|(?<cut>--[\s\S]*|#[\s\S]*)|(?<word>[\w$@.]+)|(?<logic>\|\||&&)|(?<compare>[=<>!]+)|(?<quote>['"`])|(?<symbol>[-;*/%|&^~{}[\]:?])/g

const star = CharacterSet.of("*")
const slash = encoded(CharacterSet.of("/"))
const commentCharacter = choice(
  characters(CharacterSet.of("*%").complement()),
  sequence(literal("%"), hexDigit, hexDigit),
)
/** Its last star stands plain: few encode it, and a body that may hold it has no clear end. */
const comment = sequence(
  slash,
  encoded(star),
  repeat(commentCharacter, { min: 0, max: COMMENT_MAX }),
  characters(star),
  slash,
)
/** What stands between two tokens and means nothing, or nothing that a rule depends on. */
const passedOver = choice(encoded(PASSED_CHARACTERS), jsonEscape)
const afterComment = repeat(passedOver, { min: 0, max: GAP_MAX })
const commented = optional(sequence(comment, afterComment))
const gap = sequence(repeat(passedOver, { min: 0, max: GAP_MAX }), commented)
const space = choice(
  sequence(repeat(passedOver, { min: 1, max: GAP_MAX }), commented),
  sequence(comment, afterComment),
)
const word = repeat(encoded(WORD), { min: 1, max: WORD_MAX })
const number = repeat(encoded(CharacterSet.range(0x30, 0x39)), { min: 1, max: 16 })
/** An operand of any form, with the quotes, calls and comments in and around it. */
const expressionCharacter = choice(
  encoded(PASSED_CHARACTERS.union(WORD).union(CharacterSet.of("/*-"))),
  jsonEscape,
)
const expression = repeat(expressionCharacter, { min: 1, max: EXPRESSION_MAX })
const expressionAfterWord = sequence(
  choice(encoded(PASSED_CHARACTERS.union(CharacterSet.of("/*-"))), jsonEscape),
  repeat(expressionCharacter, { min: 0, max: EXPRESSION_MAX - 1 }),
)
const blanks = repeat(encoded(CharacterSet.of(" +\t)")), { min: 0, max: 4 })

const anyRows = sequence(space, anyOf(["all", "distinct"], encodedCaseless))
const anyLogic = anyOf(LOGIC, encodedCaseless)
const anySymbol = repeat(encoded(COMPARING), { min: 1, max: 3 })
const anyComparison = choice(
  sequence(gap, anySymbol, gap),
  sequence(space, anyOf(COMPARING_WORDS, encodedCaseless), space),
)
const anyCut = anyOf(["--", "#", "/*", ";"], encodedCaseless)

interface Token {
  readonly kind: "keyword" | "logic" | "operand" | "compare" | "quote" | "symbol" | "cut"
  readonly text: string
}

function keywords(words: string, evidence: number): readonly (readonly [string, number])[] {
  return words.split(" ").map((name) => [name, evidence])
}

/** Reads an injection into SQL as its tokens; comments and what they cut off are no tokens. */
export function readSql(payload: string): Reading {
  const tokens = tokensOf(payload)
  const limits = tokens.length === TOKENS_MAX ? [`what stands behind ${TOKENS_MAX} tokens`] : []
  const atoms = tokens.map((token, index) => atomOf(token, tokens[index - 1]))
  return { atoms: [valueStart, ...withoutGap(atoms)], limits }
}

/** Between the start of the value and its first token nothing is passed over. */
function withoutGap([first, ...rest]: readonly Atom[]): readonly Atom[] {
  return first === undefined ? [] : [{ ...first, gap: blanks }, ...rest]
}

function tokensOf(payload: string): readonly Token[] {
  const tokens: Token[] = []
  for (const match of payload.matchAll(TOKEN)) {
    const token = tokenOf(match.groups ?? {})
    if (token === undefined) continue
    if (isAnyUnion(tokens.at(-1), token)) continue
    const isBreakout = token.kind !== "quote" || tokens.every(({ kind }) => kind === "operand")
    if (isBreakout && tokens.length < TOKENS_MAX) addToken(tokens, token)
  }
  return tokens
}

/** UNION ALL and UNION DISTINCT are as good as UNION to an attacker. */
function isAnyUnion(before: Token | undefined, { text }: Token): boolean {
  return before?.text === "union" && (text === "all" || text === "distinct")
}

function tokenOf(groups: Readonly<Record<string, string | undefined>>): Token | undefined {
  const { word: name, logic, compare, quote, symbol, cut } = groups
  if (cut !== undefined) return { kind: "cut", text: cut.startsWith("#") ? "#" : "--" }
  if (name !== undefined) return wordToken(name)
  if (logic !== undefined) return { kind: "logic", text: logic }
  if (compare !== undefined) return { kind: "compare", text: compare }
  if (quote !== undefined) return { kind: "quote", text: quote }
  return symbol === undefined ? undefined : { kind: "symbol", text: symbol }
}

function wordToken(text: string): Token {
  const lower = text.toLowerCase()
  if (LOGIC.includes(lower)) return { kind: "logic", text: lower }
  return KEYWORDS.has(lower) ? { kind: "keyword", text: lower } : { kind: "operand", text }
}

/** Operands in a row are one: how many there are changes nothing of what the attack is. */
function addToken(tokens: Token[], token: Token): void {
  const last = tokens.at(-1)
  if (last?.kind === "operand" && token.kind === "operand") {
    tokens[tokens.length - 1] = { kind: "operand", text: `${last.text} ${token.text}` }
  } else tokens.push(token)
}

function atomOf(token: Token, before: Token | undefined): Atom {
  const isAfterWord = before !== undefined && endsAsWord(before)
  const gapBefore = isAfterWord && endsAsWord(token) ? space : gap
  return {
    name: token.kind,
    ladder: ladderOf(token, isAfterWord),
    gap: token.kind === "quote" ? blanks : gapBefore,
  }
}

function endsAsWord({ text }: Token): boolean {
  return /^[\w$@.]/.test(text)
}

function ladderOf({ kind, text }: Token, isAfterWord: boolean): readonly Step[] {
  const exact = encodedCaseless(text)
  switch (kind) {
    case "keyword": {
      const pattern = text === "union" ? sequence(exact, optional(anyRows)) : exact
      return [{ pattern, evidence: KEYWORDS.get(text) ?? 1 }]
    }
    case "logic":
      return [
        { pattern: exact, evidence: 1 },
        { pattern: anyLogic, evidence: 1 },
      ]
    case "operand":
      return [...operandLadder(text, isAfterWord)]
    case "compare":
      return [
        { pattern: exact, evidence: 3 },
        { pattern: anyComparison, evidence: 2.5, takesGaps: true },
        { pattern: anySymbol, evidence: 3 },
      ]
    case "quote":
      return [
        { pattern: exact, evidence: 2 },
        { pattern: encoded(QUOTES), evidence: 2 },
      ]
    case "cut":
      return [
        { pattern: exact, evidence: 3 },
        { pattern: anyCut, evidence: 3 },
      ]
    case "symbol":
      return [{ pattern: exact, evidence: 1 }]
  }
}

function operandLadder(text: string, isAfterWord: boolean): readonly Step[] {
  const exact = { pattern: operandOf(text), evidence: Math.min(3, text.length / 4) }
  return [
    exact,
    // filters of honest people compare a name with a value, tautologies a number with a number
    ...(/^\d+$/.test(text) ? [{ pattern: number, evidence: 1, isLong: true }] : []),
    { pattern: word, evidence: 0.5, isLong: true },
    {
      pattern: isAfterWord ? expressionAfterWord : expression,
      evidence: 0.5,
      takesGaps: true,
      isLong: true,
    },
  ]
}

function operandOf(text: string): Pattern {
  const [first = "", ...rest] = text.split(" ").slice(0, OPERAND_WORDS_MAX)
  return sequence(
    encodedCaseless(first),
    ...rest.map((one) => sequence(space, encodedCaseless(one))),
  )
}
