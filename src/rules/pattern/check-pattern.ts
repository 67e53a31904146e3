import { RuleRefusedError } from "../rule-refused-error.ts"
import { CharacterSet } from "./character-set.ts"
import { parsePattern } from "./parse-pattern.ts"
import type { Pattern } from "./pattern.ts"
import { type Positions, positionsOf } from "./positions.ts"

/** A match shorter than this says too little to block anybody for. */
export const MATCH_CHARACTERS_MIN = 3
/** Longest match: each start of a search costs at most about so many steps in any engine. */
export const MATCH_CHARACTERS_MAX = 2_048
/** RE2 refuses repeats of repeats beyond 1,000 in all. */
const NESTED_REPEATS_MAX = 1_000

/** Characters after which it must be settled which way a match goes on. */
export const DECIDED_WITHIN = 16

/** A pattern that passed every check, with the characters of its shortest and longest match. */
export interface CheckedPattern {
  readonly pattern: Pattern
  readonly shortest: number
  readonly longest: number
}

/**
 * Accepts a pattern only if it is safe to hand to a WAF that backtracks.
 *
 * Besides being in the subset (`parsePattern`), there must be one way only to match any text, and at
 * most `DECIDED_WITHIN` characters must tell which. A backtracking search then gives up every wrong
 * turn within so many characters, so that its time grows with the text and nothing else. (The test
 * is that for ambiguity of Book et al., IEEE Transactions on Computers C-20, 1971: two copies of the
 * automaton read the same text side by side.)
 * @throws RuleRefusedError with the reason
 */
export function checkPattern(text: string): CheckedPattern {
  const pattern = parsePattern(text)
  const { shortest, longest } = measure(pattern)
  if (shortest < MATCH_CHARACTERS_MIN) {
    throw new RuleRefusedError(`matches fewer than ${MATCH_CHARACTERS_MIN} characters`)
  }
  if (longest > MATCH_CHARACTERS_MAX) {
    throw new RuleRefusedError(`matches more than ${MATCH_CHARACTERS_MAX} characters`)
  }
  checkNesting(pattern, 1)
  new Decisions(positionsOf(pattern)).check()
  return { pattern, shortest, longest }
}

interface Measure {
  readonly shortest: number
  readonly longest: number
}

function measure(pattern: Pattern): Measure {
  switch (pattern.kind) {
    case "set":
      return { shortest: 1, longest: 1 }
    case "sequence":
      return pattern.parts.map(measure).reduce(joined, { shortest: 0, longest: 0 })
    case "choice":
      return pattern.options.map(measure).reduce(either)
    case "repeat": {
      const { shortest, longest } = measure(pattern.body)
      return { shortest: shortest * pattern.min, longest: longest * pattern.max }
    }
  }
}

function joined(one: Measure, next: Measure): Measure {
  return { shortest: one.shortest + next.shortest, longest: one.longest + next.longest }
}

function either(one: Measure, other: Measure): Measure {
  return {
    shortest: Math.min(one.shortest, other.shortest),
    longest: Math.max(one.longest, other.longest),
  }
}

function checkNesting(pattern: Pattern, outer: number): void {
  if (pattern.kind === "sequence") for (const part of pattern.parts) checkNesting(part, outer)
  if (pattern.kind === "choice") for (const part of pattern.options) checkNesting(part, outer)
  if (pattern.kind !== "repeat") return
  const nested = outer * pattern.max
  if (nested > NESTED_REPEATS_MAX) throw new RuleRefusedError("repeats within repeats are too many")
  checkNesting(pattern.body, nested)
}

/** Reads one text along two ways at once, from wherever they part. */
class Decisions {
  readonly #positions: Positions
  readonly #last: ReadonlySet<number>
  /** By pair of positions: the most characters after which it was reached. */
  readonly #reached = new Map<number, number>()

  constructor(positions: Positions) {
    this.#positions = positions
    this.#last = new Set(positions.last)
  }

  check(): void {
    const { first, follow } = this.#positions
    for (const next of [first, ...follow]) this.#pairs(next, next, 1)
  }

  /** @param read characters that both ways have read, with the one that comes now */
  #pairs(ones: readonly number[], others: readonly number[], read: number): void {
    for (const one of ones) {
      for (const other of others) {
        const isSame = one === other
        if (isSame && read === 1) continue
        if (isSame) this.#refuseAmbiguous()
        this.#follow(one, other, read)
      }
    }
  }

  #follow(one: number, other: number, read: number): void {
    const { sets, follow } = this.#positions
    if (!sets[one]?.intersects(sets[other] ?? CharacterSet.empty)) return
    if (this.#last.has(one) && this.#last.has(other)) this.#refuseAmbiguous()
    if (read > DECIDED_WITHIN) {
      throw new RuleRefusedError(`undecided after ${DECIDED_WITHIN} characters`)
    }
    const pair = one * sets.length + other
    if ((this.#reached.get(pair) ?? 0) >= read) return
    this.#reached.set(pair, read)
    this.#pairs(follow[one] ?? [], follow[other] ?? [], read + 1)
  }

  #refuseAmbiguous(): never {
    throw new RuleRefusedError("more than one way to match the same text")
  }
}
