import { RuleRefusedError } from "../rule-refused-error.ts"
import { CharacterSet } from "./character-set.ts"
import { parsePattern } from "./parse-pattern.ts"
import type { Pattern } from "./pattern.ts"
import { type Positions, positionsOf } from "./positions.ts"

/** A match shorter than this says too little to block anybody for. */
export const MATCH_CHARACTERS_MIN = 3
/** Longest match: each start of a search costs at most about so many steps in any engine. */
const MATCH_CHARACTERS_MAX = 8_192
/** Sets of a pattern with every repeat written out, as RE2 does. */
const POSITIONS_MAX = 16_384
/** RE2 refuses repeats of repeats beyond 1,000 in all. */
const NESTED_REPEATS_MAX = 1_000

/** Pairs of positions that are looked at before a pattern counts as too large to be judged. */
const PAIRS_MAX = 1_000_000

/** A pattern that passed every check, with the characters of its shortest and longest match. */
export interface CheckedPattern {
  readonly pattern: Pattern
  readonly shortest: number
  readonly longest: number
}

/**
 * Accepts a pattern only if it is safe to hand to a WAF that backtracks.
 *
 * Besides being in the subset (`parsePattern`), it must be unambiguous: no text leads to the same
 * place of the pattern along two ways, as it would in `[a]{0,8}[a]{0,8}`. A backtracking search then
 * comes to each place at most once for each character, so that its time grows with the text and
 * nothing else. (The test is that of Book et al., IEEE Transactions on Computers C-20, 1971: two
 * copies of the automaton read the same text side by side.)
 * @throws RuleRefusedError with the reason
 */
export function checkPattern(text: string): CheckedPattern {
  const checked = checkSafety(parsePattern(text))
  if (checked.shortest < MATCH_CHARACTERS_MIN) {
    throw new RuleRefusedError(`matches fewer than ${MATCH_CHARACTERS_MIN} characters`)
  }
  return checked
}

/** Whether `checkPattern` accepts it. */
export function isPatternSafe(text: string): boolean {
  try {
    checkPattern(text)
    return true
  } catch (error) {
    if (error instanceof RuleRefusedError) return false
    throw error
  }
}

/** As `checkPattern`, of a pattern that is not whole yet and may match too little. */
export function checkSafety(pattern: Pattern): CheckedPattern {
  const { shortest, longest, positions } = measure(pattern)
  if (longest > MATCH_CHARACTERS_MAX) {
    throw new RuleRefusedError(`matches more than ${MATCH_CHARACTERS_MAX} characters`)
  }
  if (positions > POSITIONS_MAX) throw new RuleRefusedError("too large with its repeats")
  checkNesting(pattern, 1)
  // ways through different alternatives of the whole never meet, and where one ends, all is said
  const options = pattern.kind === "choice" ? pattern.options : [pattern]
  for (const option of options) new Ways(positionsOf(option)).check()
  return { pattern, shortest, longest }
}

interface Measure {
  readonly shortest: number
  readonly longest: number
  readonly positions: number
}

const EMPTY: Measure = { shortest: 0, longest: 0, positions: 0 }

function measure(pattern: Pattern): Measure {
  switch (pattern.kind) {
    case "set":
      return { shortest: 1, longest: 1, positions: 1 }
    case "sequence":
      return pattern.parts.map(measure).reduce(joined, EMPTY)
    case "choice":
      return pattern.options.map(measure).reduce(either)
    case "repeat": {
      const { min, max } = pattern
      const { shortest, longest, positions } = measure(pattern.body)
      return { shortest: shortest * min, longest: longest * max, positions: positions * max }
    }
  }
}

function joined(one: Measure, next: Measure): Measure {
  return {
    shortest: one.shortest + next.shortest,
    longest: one.longest + next.longest,
    positions: one.positions + next.positions,
  }
}

function either(one: Measure, other: Measure): Measure {
  return {
    shortest: Math.min(one.shortest, other.shortest),
    longest: Math.max(one.longest, other.longest),
    positions: one.positions + other.positions,
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

/** Reads one text along two ways at once, from wherever they part; the ways must never meet. */
class Ways {
  readonly #positions: Positions
  readonly #classes: SetClasses
  readonly #last: ReadonlySet<number>
  /** A bit for each pair. */
  readonly #seen: Uint8Array
  #seenCount = 0
  readonly #pairs: number[] = []

  constructor(positions: Positions) {
    this.#positions = positions
    this.#classes = new SetClasses(positions.sets)
    this.#last = new Set(positions.last)
    this.#seen = new Uint8Array(Math.ceil(positions.sets.length ** 2 / 8))
  }

  check(): void {
    const { first, follow } = this.#positions
    for (const next of [first, ...follow]) this.#part(next)
    for (let pair = this.#pairs.pop(); pair !== undefined; pair = this.#pairs.pop()) this.#go(pair)
  }

  #part(next: readonly number[]): void {
    for (const [index, one] of next.entries()) {
      for (const other of next.slice(index + 1)) this.#read(one, other)
    }
  }

  #go(pair: number): void {
    const { follow, sets } = this.#positions
    const others = follow[pair % sets.length] ?? []
    for (const next of follow[Math.floor(pair / sets.length)] ?? []) {
      for (const otherNext of others) this.#read(next, otherNext)
    }
  }

  #read(one: number, other: number): void {
    const { sets } = this.#positions
    if (!this.#classes.intersect(one, other)) return
    if (one === other || (this.#last.has(one) && this.#last.has(other))) {
      throw new RuleRefusedError("more than one way to match the same text")
    }
    const pair = Math.min(one, other) * sets.length + Math.max(one, other)
    const [byte, bit] = [Math.floor(pair / 8), 1 << (pair % 8)]
    const seen = this.#seen[byte] ?? 0
    if ((seen & bit) !== 0) return
    this.#seenCount += 1
    if (this.#seenCount > PAIRS_MAX) throw new RuleRefusedError("too large to be judged")
    this.#seen[byte] = seen | bit
    this.#pairs.push(pair)
  }
}

/** Says fast which positions can read the same character: few of their many sets differ. */
class SetClasses {
  readonly #sets: readonly CharacterSet[]
  readonly #classOf: readonly number[]
  /** 0 = not known yet, 1 = no, 2 = yes. */
  readonly #known: Uint8Array

  constructor(sets: readonly CharacterSet[]) {
    const classes = new Map<CharacterSet, number>()
    for (const set of sets) if (!classes.has(set)) classes.set(set, classes.size)
    this.#sets = [...classes.keys()]
    this.#classOf = sets.map((set) => classes.get(set) ?? 0)
    this.#known = new Uint8Array(classes.size ** 2)
  }

  intersect(position: number, other: number): boolean {
    const [one, two] = [this.#classOf[position] ?? 0, this.#classOf[other] ?? 0]
    const at = one * this.#sets.length + two
    const known = this.#known[at]
    if (known !== 0) return known === 2
    const isYes = this.#sets[one]?.intersects(this.#sets[two] ?? CharacterSet.empty) === true
    this.#known[at] = isYes ? 2 : 1
    return isYes
  }
}
