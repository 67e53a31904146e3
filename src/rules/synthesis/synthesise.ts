import { isPatternSafe } from "../pattern/check-pattern.ts"
import type { Atom, Reading } from "./atom.ts"
import { evidenceOf, rareParts, type Shape, shapesOf, writeShape } from "./shapes.ts"

export interface SynthesisOptions {
  /** Says whether a pattern meets a request that nobody attacks with (see `BenignCorpus`). */
  readonly meetsBenign: (pattern: string, parts: readonly string[]) => boolean
  /** The exploit as a WAF sees it, in every way it may be sent: each must match. */
  readonly exploits: readonly string[]
  /** Working relatives of the exploit, and itself: the more of them match, the better. */
  readonly variants: readonly string[]
  /** Patterns held against the benign corpus, at one pass over it each; default 512. */
  readonly candidatesMax?: number
}

export interface SynthesisedPattern {
  readonly pattern: string
  /** What `pattern` is joined from. */
  readonly alternatives: readonly string[]
  /** Share of `variants` that it matches, 0..1. */
  readonly coverage: number
  /** Names of the tokens of each of its alternatives. */
  readonly tokens: readonly (readonly string[])[]
}

const CANDIDATES_MAX = 512
/** More tokens only make a rule narrower. */
const ATOMS_MAX = 7
const ALTERNATIVES_MAX = 6
/** A pattern that covers this share needs no alternative; longer ones are looked at twice more. */
const COVERAGE_ENOUGH = 0.98
const FURTHER_LENGTHS = 2
/** Of candidates that cover as much, one with less evidence than this gives way to one with more. */
const EVIDENCE_ENOUGH = 8
/** With less evidence it is no attack, even where the corpus holds nothing like it. */
const EVIDENCE_MIN = 5.5

interface Candidate {
  readonly shape: Shape
  readonly pattern: string
  readonly covered: ReadonlySet<string>
  /** Cut at EVIDENCE_ENOUGH. */
  readonly evidence: number
}

/**
 * The pattern that matches most of an attack's relatives, every form of the attack itself, and
 * nothing benign.
 *
 * Candidates are all stretches of the attack's tokens, each token written as generally as its ladder
 * goes, or more narrowly. The best covering one that no benign text meets is taken, the shorter of
 * equals, and joined by others that cover what it misses: structure is kept, literals go.
 * @returns undefined where every candidate meets benign text or cannot be written
 */
export function synthesise(
  { atoms, others = [] }: Omit<Reading, "limits">,
  options: SynthesisOptions,
): SynthesisedPattern | undefined {
  const trial = new Trial(options)
  const growth = new Growth(options)
  const candidates = candidatesOf(atoms, { variants: options.variants, growth, trial })
  const further = others.flatMap((other) =>
    shapesOf(other, other.length).flatMap((shape) => growth.further(shape)),
  )
  const chosen: Candidate[] = []
  let missed = new Set(options.variants)
  while (chosen.length < ALTERNATIVES_MAX && missed.size > 0) {
    const enough = chosen.length === 0 ? 0 : Math.max(1, options.variants.length / 20)
    const from = chosen.length === 0 ? candidates : [...candidates, ...further]
    const best = trial.best(from, { missed, enough, chosen })
    if (best === undefined) break
    chosen.push(best)
    missed = missed.difference(best.covered)
  }
  return chosen.length === 0 ? undefined : joined(chosen, 1 - missed.size / options.variants.length)
}

function joined(chosen: readonly Candidate[], coverage: number): SynthesisedPattern {
  const alternatives = chosen.map((candidate) => candidate.pattern)
  const tokens = chosen.map(({ shape }) => shape.atoms.map(({ name }) => name))
  return { pattern: alternatives.join("|"), alternatives, coverage, tokens }
}

interface Searching {
  readonly growth: Growth
  readonly trial: Trial
}

/** Shorter stretches first, until one of them is good and covers enough. */
function candidatesOf(
  atoms: readonly Atom[],
  { variants, growth, trial }: Pick<SynthesisOptions, "variants"> & Searching,
): readonly Candidate[] {
  const missed = new Set(variants)
  const enough = COVERAGE_ENOUGH * missed.size
  const candidates: Candidate[] = []
  let lengthMax = Math.min(ATOMS_MAX, atoms.length)
  for (let length = 1; length <= lengthMax; length++) {
    candidates.push(...shapesOf(atoms, length).flatMap((shape) => growth.candidate(shape)))
    if (trial.best(candidates, { missed, enough, chosen: [] }) === undefined) continue
    lengthMax = Math.min(lengthMax, length + FURTHER_LENGTHS)
  }
  return candidates
}

/** Leaves out every stretch that holds a shorter one which already failed. */
class Growth {
  readonly #options: SynthesisOptions
  readonly #failed = new Set<string>()

  constructor(options: SynthesisOptions) {
    this.#options = options
  }

  candidate(shape: Shape): readonly Candidate[] {
    const pattern = this.#holdsFailed(shape) ? undefined : writeShape(shape)
    const regex = pattern === undefined ? undefined : new RegExp(pattern, "u")
    if (pattern === undefined || !this.#options.exploits.every((sent) => regex?.test(sent))) {
      this.#failed.add(keyOf(shape.from, shape.levels))
      return []
    }
    return this.#withCover(shape, pattern)
  }

  /** A candidate that need not match the attack itself. */
  further(shape: Shape): readonly Candidate[] {
    const pattern = writeShape(shape)
    return pattern === undefined ? [] : this.#withCover(shape, pattern)
  }

  #withCover(shape: Shape, pattern: string): readonly Candidate[] {
    const evidence = Math.min(EVIDENCE_ENOUGH, evidenceOf(shape))
    if (evidence < EVIDENCE_MIN) return []
    const regex = new RegExp(pattern, "u")
    const covered = new Set(this.#options.variants.filter((variant) => regex.test(variant)))
    return [{ shape, pattern, covered, evidence }]
  }

  #holdsFailed({ from, levels }: Shape): boolean {
    const isFailed = (at: number, shorter: readonly number[]) =>
      this.#failed.has(keyOf(at, shorter))
    return isFailed(from, levels.slice(0, -1)) || isFailed(from + 1, levels.slice(1))
  }
}

function keyOf(from: number, levels: readonly number[]): string {
  return `${from}:${levels.join(",")}`
}

interface Wanted {
  /** What is not covered yet. */
  readonly missed: ReadonlySet<string>
  /** Texts of it that a candidate must cover. */
  readonly enough: number
  /** What it is to be an alternative to. */
  readonly chosen: readonly Candidate[]
}

/** Holds candidates against the benign corpus, each once and a bounded number in all. */
class Trial {
  readonly #options: SynthesisOptions
  readonly #known = new Map<string, boolean>()
  #left: number

  constructor(options: SynthesisOptions) {
    this.#options = options
    this.#left = options.candidatesMax ?? CANDIDATES_MAX
  }

  /** The good one that covers most of what is missed. */
  best(candidates: readonly Candidate[], wanted: Wanted): Candidate | undefined {
    const gains = new Map(
      candidates.map((one) => [one, wanted.missed.intersection(one.covered).size]),
    )
    const gain = (candidate: Candidate) => gains.get(candidate) ?? 0
    return candidates
      .filter((candidate) => gain(candidate) >= wanted.enough)
      .sort(
        (one, other) =>
          gain(other) - gain(one) ||
          other.evidence - one.evidence ||
          narrowness(one) - narrowness(other) ||
          one.shape.atoms.length - other.shape.atoms.length,
      )
      .find((candidate) => this.#isGood(candidate) && fits(candidate, wanted.chosen))
  }

  #isGood({ pattern, shape }: Candidate): boolean {
    const known = this.#known.get(pattern)
    if (known !== undefined) return known
    if (this.#left <= 0) return false
    this.#left -= 1
    const isGood = !this.#options.meetsBenign(pattern, rareParts(shape))
    this.#known.set(pattern, isGood)
    return isGood
  }
}

/** Steps that its tokens are written more narrowly than they could be. */
function narrowness({ shape }: Candidate): number {
  const steps = shape.atoms.map(
    ({ ladder }, index) => ladder.length - 1 - (shape.levels[index] ?? 0),
  )
  return steps.reduce((sum, count) => sum + count, 0)
}

/** Together they must not grow longer than a pattern may. */
function fits(candidate: Candidate, chosen: readonly Candidate[]): boolean {
  return isPatternSafe([...chosen, candidate].map(({ pattern }) => pattern).join("|"))
}
