import { mixCase } from "../generators/grammar.ts"
import type { Random } from "../random.ts"

/** Rewrites a text at one place, or gives it back where it has none to rewrite. */
export type Mutation = (random: Random, text: string) => string

/** A mutation of one occurrence of `pattern`, which needs the flag `g`. */
export function replacing(
  pattern: RegExp,
  rewrite: (random: Random, match: string) => string,
): Mutation {
  return (random, text) => {
    const matches = [...text.matchAll(pattern)]
    if (matches.length === 0) return text
    const match = random.pick(matches)
    const end = match.index + match[0].length
    return `${text.slice(0, match.index)}${rewrite(random, match[0])}${text.slice(end)}`
  }
}

/** A mutation that swaps one occurrence of a spelling for another one that means the same. */
export function swapping(pattern: RegExp, spellings: readonly string[]): Mutation {
  return replacing(pattern, (random) => random.pick(spellings))
}

/** A mutation that gives the letters of one occurrence of `pattern` a random case. */
export function recasing(pattern: RegExp): Mutation {
  return replacing(pattern, mixCase)
}
