import { digits, identifier } from "../generators/grammar.ts"
import { sentence } from "../generators/vocabulary.ts"
import type { Random } from "../random.ts"
import { type Mutation, recasing, replacing, swapping } from "./mutation.ts"

const KEYWORDS =
  /\b(?:select|union|all|from|where|and|or|not|like|between|is|null|order|by|limit|having|group|in|case|when|then|else|end|exists|true|false|as)\b/gi

/**
 * The operators published for WAF-A-MoLE, and some of SQLite's own syntax.
 *
 * @see Demetrio, Valenza, Costa, Lagorio: "WAF-A-MoLE", SAC 2020, table 1
 */
export const SQL_MUTATIONS: readonly Mutation[] = [
  recasing(KEYWORDS),
  swapping(/[ \t\n]+/g, [" ", "  ", "\t", "\n", "\r\n", "\f", "/**/", " /**/ "]),
  replacing(/\s+|\/\*.*?\*\//g, (random) => `/*${commentText(random)}*/`),
  replacing(/(?:--|#).*$/gs, (random) => `--${commentText(random)}`),
  swapping(/\/\*.*?\*\//g, [" ", "\t", "/**/"]),
  replacing(/(?<![\w.'"])\d{1,9}(?![\w.])/g, encodeInteger),
  swapping(/\band\b/gi, ["AND", "and", "and not not", "\nAND\n"]),
  swapping(/\bor\b/gi, ["OR", "or", "or not not", "\nor\n"]),
  replacing(/(['"]?)\b(\w+)\1\s*=\s*\1\2\b\1?/g, tautology),
  replacing(/\s*=\s*/g, (random) => random.pick([" LIKE ", " = ", "==", " IS ", " GLOB ", "="])),
  swapping(/\blike\b/gi, ["=", "LIKE", "GLOB", "is"]),
  swapping(/<>|!=/g, ["<>", "!=", " is not "]),
  replacing(/(?=--|#|$)/g, (random) => ` and ${truth(random)} `),
  replacing(/(?=--|#|$)/g, (random) => ` or ${falsehood(random)} `),
  replacing(/(?<=^\S*)$|--.*$/gs, (random, match) => `${match} ${sentence(random)}`),
  replacing(/\b(?:users|products|sqlite_master)\b/gi, (random, name) =>
    random.pick([`"${name}"`, `[${name}]`, `\`${name}\``, `main.${name}`]),
  ),
  replacing(/^/g, (random) => random.pick([" ", identifier(random), digits(random, 2)])),
  swapping(/\bnull\b/gi, ["NULL", "(null)", "null"]),
]

function commentText(random: Random): string {
  const text = random.pick([identifier, sentence, () => ""])(random)
  return text.replaceAll("*/", "")
}

/** WAF-A-MoLE's "integer encoding": the same number as hex, sum, or a query of its own. */
function encodeInteger(random: Random, digitsOfIt: string): string {
  const value = Number(digitsOfIt)
  const part = random.below(value + 1)
  return random.pick([
    `0x${value.toString(16)}`,
    `(${value})`,
    `(SELECT ${value})`,
    `(${part}+${value - part})`,
    `+${value}`,
    `${value}.0`,
    `0${value}`,
    `abs(${value})`,
  ])
}

function tautology(random: Random, match: string): string {
  const quote = /^['"]/.exec(match)?.[0]
  const isOpen = quote !== undefined && (match.split(quote).length - 1) % 2 === 1
  const name = identifier(random)
  // an open quote is closed by the query that the text stands in
  if (isOpen) return `${quote}${name}${quote}=${quote}${name}`
  return truth(random)
}

function truth(random: Random): string {
  const value = random.between(1, 9_999)
  return random.pick([
    `${value}=${value}`,
    `${value}<>${value + 1}`,
    `'${identifier(random)}' is not null`,
    `${value} between ${value - 1} and ${value + 1}`,
    `${value} in (${value})`,
    `not ${value}=${value + 1}`,
    `length('${"a".repeat(random.between(1, 6))}')`,
    `"id"="id"`,
    "1",
  ])
}

function falsehood(random: Random): string {
  const value = random.between(1, 9_999)
  return random.pick([
    `${value}=${value + 1}`,
    `'${identifier(random)}' is null`,
    `${value} in (${value + 1})`,
    `not ${value}`,
    "0",
    "''",
  ])
}
