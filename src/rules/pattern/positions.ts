import { RuleRefusedError } from "../rule-refused-error.ts"
import type { CharacterSet } from "./character-set.ts"
import type { Pattern } from "./pattern.ts"

const WRITTEN_OUT_MAX = 4

/**
 * The automaton of a pattern, without states of its own: each set that stands in the pattern is a
 * position, and `follow` says which position may read the character after it. (Glushkov, Russian
 * Mathematical Surveys 16, 1961.)
 *
 * A repeat up to a count beyond `writtenOutMax` is a loop without end here: it reads more texts, and every
 * way of the pattern itself is a way through it, no two of them the same.
 */
export interface Positions {
  readonly sets: readonly CharacterSet[]
  readonly first: readonly number[]
  readonly follow: readonly (readonly number[])[]
  /** With which a match may end. */
  readonly last: readonly number[]
}

/** What a part of a pattern begins and ends with. */
interface Ends {
  readonly first: readonly number[]
  readonly last: readonly number[]
  readonly canBeEmpty: boolean
}

const NONE: Ends = { first: [], last: [], canBeEmpty: true }

/** @throws RuleRefusedError where a repeat may read nothing */
export function positionsOf(pattern: Pattern, writtenOutMax = WRITTEN_OUT_MAX): Positions {
  const builder = new PositionBuilder(writtenOutMax)
  const { first, last } = builder.add(pattern)
  return { sets: builder.sets, first, follow: builder.follow, last }
}

class PositionBuilder {
  readonly sets: CharacterSet[] = []
  readonly follow: number[][] = []
  readonly #writtenOutMax: number

  constructor(writtenOutMax: number) {
    this.#writtenOutMax = writtenOutMax
  }

  add(pattern: Pattern): Ends {
    switch (pattern.kind) {
      case "set":
        return this.#addSet(pattern.set)
      case "sequence":
        return pattern.parts.reduce<Ends>((ends, part) => this.#join(ends, this.add(part)), NONE)
      case "choice":
        return pattern.options.map((option) => this.add(option)).reduce(either)
      case "repeat":
        return this.#addRepeat(pattern)
    }
  }

  #addSet(set: CharacterSet): Ends {
    const position = this.sets.length
    this.sets.push(set)
    this.follow.push([])
    return { first: [position], last: [position], canBeEmpty: false }
  }

  /** b{1,3} is b(?:b(?:b)?)?: a copy that is left out leaves out all after it. */
  #addRepeat({ body, min, max }: Extract<Pattern, { kind: "repeat" }>): Ends {
    const isLoop = max > this.#writtenOutMax && max > min
    const copies: Ends[] = []
    for (let copy = 0; copy < (isLoop ? Math.max(min, 1) : max); copy++) {
      const added = this.add(body)
      if (added.canBeEmpty) throw new RuleRefusedError("a repeat of what may be empty")
      this.#link(copies.at(-1)?.last ?? [], added.first)
      copies.push(added)
    }
    const last = copies.at(-1)
    if (isLoop && last !== undefined) this.#link(last.last, last.first)
    return {
      first: copies[0]?.first ?? [],
      last: copies.slice(Math.max(min, 1) - 1).flatMap(({ last }) => last),
      canBeEmpty: min === 0,
    }
  }

  #link(from: readonly number[], to: readonly number[]): void {
    for (const position of from) this.follow[position]?.push(...to)
  }

  #join(one: Ends, next: Ends): Ends {
    this.#link(one.last, next.first)
    return {
      first: one.canBeEmpty ? [...one.first, ...next.first] : one.first,
      last: next.canBeEmpty ? [...one.last, ...next.last] : next.last,
      canBeEmpty: one.canBeEmpty && next.canBeEmpty,
    }
  }
}

function either(one: Ends, other: Ends): Ends {
  return {
    first: [...one.first, ...other.first],
    last: [...one.last, ...other.last],
    canBeEmpty: one.canBeEmpty || other.canBeEmpty,
  }
}
