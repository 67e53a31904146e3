import { CharacterSet } from "../pattern/character-set.ts"
import { encoded, encodedLiteral } from "../pattern/encoded.ts"
import {
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

const GAP_MAX = 6
const WORD_MAX = 32
const PREFIX_MAX = 64
const TOKENS_MAX = 24
const TOKEN =
  /(?<opening>\$\(|[<>]\(|`)|(?<separator>\|\||&&|[;|&\n\r])|(?<redirection>[<>]{1,3})|(?<word>(?:[\w./:@%?*+=,~!^-]|\\.|'[^']{0,80}'|"[^"]{0,80}"|\$'[^']{0,80}'|\$(?!IFS|\{IFS)[@*0-9\w{}]{1,16})+)/g

/** Programs that an attacker runs first, or with which he fetches the rest. */
const COMMANDS = new Set(
  (
    "whoami uname ls pwd ps env ifconfig netstat curl wget nc ncat bash sh dash zsh python python3 perl ruby " +
    "php nslookup dig telnet ssh scp chmod chown rm printf base64 tac nl awk sed xargs tee socat busybox " +
    "hostname crontab id cat ping sleep touch"
  ).split(" "),
)
/** Programs whose names are words of English as well. */
const COMMON_WORDS = new Set("more less head tail find host ip echo kill date time".split(" "))
const SENSITIVE = /\/etc\/(?:passwd|shadow|hosts)|\/proc\/self|\/dev\/tcp|\/bin\/(?:ba|da|z)?sh/

const LETTERS = CharacterSet.range(0x61, 0x7a).withBothCases()
const WORD = LETTERS.union(CharacterSet.range(0x30, 0x39)).union(CharacterSet.of("_./:@-"))
const operators = repeat(encoded(CharacterSet.of(";|&")), { min: 1, max: 2 })
const separators = repeat(encoded(CharacterSet.of(";|&\n\r")), { min: 1, max: 3 })
const opening = choice(
  encoded(CharacterSet.of("`")),
  sequence(encoded(CharacterSet.of("$<>")), encoded(CharacterSet.of("("))),
)
/** Blanks, and the variable that holds them. */
const blank = choice(
  encoded(CharacterSet.of(" \t\n\r+,")),
  sequence(literal("\\"), characters(CharacterSet.of("nrt"))),
  sequence(
    encoded(CharacterSet.of("$")),
    optional(encoded(CharacterSet.of("{"))),
    encodedLiteral("IFS"),
    optional(encoded(CharacterSet.of("}"))),
  ),
)
const gap = repeat(blank, { min: 0, max: GAP_MAX })
const space = repeat(blank, { min: 1, max: GAP_MAX })
/** What quote removal and expansion take out of a word again: '' "" \\ $@ ${x}. */
const dollar = encoded(CharacterSet.of("$"))
const nothing = choice(
  encoded(CharacterSet.of("'\"\\")),
  sequence(dollar, encoded(CharacterSet.of("@*0123456789"))),
  sequence(
    dollar,
    encoded(CharacterSet.of("{")),
    repeat(encoded(LETTERS), { min: 1, max: 4 }),
    encoded(CharacterSet.of("}")),
  ),
)
const nothings = repeat(nothing, { min: 0, max: 3 })
/** A word in escapes, `$'\\x69\\144'`: nobody who is honest writes so. */
const escapedWord = sequence(
  encodedLiteral("$"),
  encodedLiteral("'"),
  repeat(encodedLiteral("\\"), { min: 1, max: 2 }),
  encoded(CharacterSet.of("x01")),
)
const argument = repeat(encoded(WORD.union(CharacterSet.of("'\"\\$*{}?[]#%"))), {
  min: 1,
  max: WORD_MAX,
})

const prefix = repeat(encoded(WORD.union(CharacterSet.of(" +',.!?"))), { min: 0, max: PREFIX_MAX })

/** Reads an injection into a command line as the words and operators of a POSIX shell. */
export function readShell(payload: string): Reading {
  const tokens = [...payload.matchAll(TOKEN)].slice(0, TOKENS_MAX).map(({ groups = {} }) => groups)
  const atoms = tokens.map((token, index) => atomOf(token, tokens[index - 1]))
  return { atoms: [valueStart, ...prefixed(atoms)], limits: ["commands of Windows shells"] }
}

/** Between the start of the value and its first operator stands what the program expected there. */
function prefixed([first, ...rest]: readonly Atom[]): readonly Atom[] {
  return first === undefined ? [] : [{ ...first, gap: prefix }, ...rest]
}

type Token = Readonly<Record<string, string | undefined>>

function atomOf(token: Token, before: Token | undefined): Atom {
  const isArgument = token.word !== undefined && before?.word !== undefined
  const gapBefore = isArgument ? space : gap
  if (token.opening !== undefined)
    return atom("opening", gapBefore, [{ pattern: opening, evidence: 3 }])
  if (token.separator !== undefined)
    return atom("separator", gapBefore, separatorLadder(token.separator))
  if (token.redirection !== undefined) {
    return atom("redirection", gapBefore, [
      { pattern: encodedLiteral(token.redirection), evidence: 1 },
    ])
  }
  const word = plainWord(token.word ?? "")
  return isArgument
    ? atom("argument", gapBefore, argumentLadder(word))
    : atom("command", gapBefore, commandLadder(word))
}

function atom(name: string, gapBefore: Pattern, ladder: readonly Step[]): Atom {
  return { name, gap: gapBefore, ladder }
}

/** The word after quote removal, as far as it can be told without a shell. */
function plainWord(word: string): string {
  return word
    .replace(/\\(.)/g, "$1")
    .replace(/['"]|\$[@*0-9]|\$\{\w{1,8}\}/g, "")
    .slice(0, 40)
}

function separatorLadder(text: string): readonly Step[] {
  return [
    { pattern: encodedLiteral(text), evidence: 1.5 },
    ...(/[;|&]/.test(text) ? [{ pattern: operators, evidence: 1.5 }] : []),
    { pattern: choice(separators, opening), evidence: 1.5 },
  ]
}

function commandLadder(word: string): readonly Step[] {
  const evidence = commandEvidence(word.slice(word.lastIndexOf("/") + 1))
  const disguised = sequence(
    repeat(encoded(CharacterSet.of("'\"\\{")), { min: 0, max: 3 }),
    ...Array.from(word, (character) => sequence(encodedLiteral(character), nothings)),
  )
  return [
    { pattern: encodedLiteral(word), evidence },
    { pattern: disguised, evidence },
    { pattern: choice(disguised, escapedWord), evidence },
  ]
}

function commandEvidence(name: string): number {
  if (COMMANDS.has(name)) return 4
  return COMMON_WORDS.has(name) ? 2 : Math.min(2, name.length / 4)
}

function argumentLadder(word: string): readonly Step[] {
  const evidence = SENSITIVE.test(word) ? 3 : Math.min(1, word.length / 8)
  return [
    { pattern: encodedLiteral(word), evidence },
    { pattern: argument, evidence: 0 },
  ]
}
