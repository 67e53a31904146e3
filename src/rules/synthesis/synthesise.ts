import { checkPattern } from "../pattern/check-pattern.ts"
import { type Pattern, sequence } from "../pattern/pattern.ts"
import { printPattern } from "../pattern/print-pattern.ts"
import { trimEnds } from "../pattern/trim-ends.ts"
import { RuleRefusedError } from "../rule-refused-error.ts"
import type { Atom } from "./atom.ts"

export interface SynthesisOptions {
  /** Says whether a pattern meets a request that nobody attacks with. */
  readonly meetsBenign: (pattern: string) => boolean
  /** The exploit as a WAF sees it, in every way it may be sent: each must match. */
  readonly exploits: readonly string[]
  /** Working relatives of the exploit, and itself: the more of them match, the better. */
  readonly variants: readonly string[]
  /** Patterns held against the benign corpus, at one pass over it each; default 48. */
  readonly candidatesMax?: number
}

export interface SynthesisedPattern {
  readonly pattern: string
  /** Share of `variants` that it matches, 0..1. */
  readonly coverage: number
  /** Names of the tokens of each of its alternatives. */
  readonly tokens: readonly (readonly string[])[]
}

const CANDIDATES_MAX = 48
/** More tokens only make a rule narrower. */
const ATOMS_MAX = 8
const ALTERNATIVES_MAX = 3
/** Of candidates that cover as much, one with less evidence than this gives way to one with more. */
const EVIDENCE_ENOUGH = 8
/** With less evidence it is no attack, even where the corpus holds nothing like it. */
const EVIDENCE_MIN = 5.5

/** A stretch of the atoms, each at a step of its ladder. */
interface Shape {
  readonly atoms: readonly Atom[]
  readonly levels: readonly number[]
}

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
  atoms: readonly Atom[],
  options: SynthesisOptions,
): SynthesisedPattern | undefined {
  const candidates = shapesOf(atoms).flatMap((shape) => candidateOf(shape, options))
  const trial = new Trial(options)
  const chosen: Candidate[] = []
  let missed = new Set(options.variants)
  while (chosen.length < ALTERNATIVES_MAX) {
    const best = trial.best(candidates, { missed, isFirst: chosen.length === 0 })
    if (best === undefined) break
    chosen.push(best)
    missed = missed.difference(best.covered)
  }
  return chosen.length === 0 ? undefined : joined(chosen, 1 - missed.size / options.variants.length)
}

function joined(chosen: readonly Candidate[], coverage: number): SynthesisedPattern {
  const pattern = chosen.map((candidate) => candidate.pattern).join("|")
  const tokens = chosen.map(({ shape }) => shape.atoms.map(({ name }) => name))
  return { pattern, coverage, tokens }
}

/** Holds candidates against the checks that cost much, each once and a bounded number in all. */
class Trial {
  readonly #options: SynthesisOptions
  readonly #known = new Map<string, boolean>()
  #left: number

  constructor(options: SynthesisOptions) {
    this.#options = options
    this.#left = options.candidatesMax ?? CANDIDATES_MAX
  }

  /** The good one that covers most of what is missed; at least a twentieth unless it is the first. */
  best(
    candidates: readonly Candidate[],
    { missed, isFirst }: { missed: ReadonlySet<string>; isFirst: boolean },
  ): Candidate | undefined {
    const gain = ({ covered }: Candidate) => missed.intersection(covered).size
    const enough = isFirst ? 0 : Math.max(1, this.#options.variants.length / 20)
    return candidates
      .filter((candidate) => gain(candidate) >= enough)
      .sort((one, other) => gain(other) - gain(one) || other.evidence - one.evidence)
      .find(({ pattern }) => this.#isGood(pattern))
  }

  #isGood(pattern: string): boolean {
    const known = this.#known.get(pattern)
    if (known !== undefined) return known
    if (this.#left <= 0) return false
    const isGood = isSafe(pattern) && !this.#meetsBenign(pattern)
    this.#known.set(pattern, isGood)
    return isGood
  }

  #meetsBenign(pattern: string): boolean {
    this.#left -= 1
    return this.#options.meetsBenign(pattern)
  }
}

/** Shorter stretches first, and of each the more general writing first. */
function shapesOf(atoms: readonly Atom[]): readonly Shape[] {
  const shapes: Shape[] = []
  for (let length = 1; length <= Math.min(ATOMS_MAX, atoms.length); length++) {
    for (let from = 0; from + length <= atoms.length; from++) {
      shapes.push(...writingsOf(atoms.slice(from, from + length)))
    }
  }
  return shapes
}

/** All tokens as general as can be, then each step narrower for all, then one token exact. */
function writingsOf(atoms: readonly Atom[]): readonly Shape[] {
  const tops = atoms.map(({ ladder }) => ladder.length - 1)
  const highest = Math.max(...tops)
  const together = Array.from({ length: highest + 1 }, (_, down) =>
    tops.map((top) => Math.max(0, Math.min(top, highest - down))),
  )
  const single = tops.flatMap((top, index) => (top > 0 ? [tops.with(index, 0)] : []))
  return [...together, ...single]
    .map((levels) => ({ atoms, levels }))
    .filter((shape) => evidenceOf(shape) >= EVIDENCE_MIN)
}

function evidenceOf({ atoms, levels }: Shape): number {
  const evidence = atoms.map(({ ladder }, index) => ladder[levels[index] ?? 0]?.evidence ?? 0)
  return evidence.reduce((sum, each) => sum + each, 0)
}

function candidateOf(shape: Shape, { exploits, variants }: SynthesisOptions): readonly Candidate[] {
  const pattern = printPattern(trimEnds(sequence(...partsOf(shape))))
  const regex = new RegExp(pattern, "u")
  if (!exploits.every((exploit) => regex.test(exploit))) return []
  const covered = new Set(variants.filter((variant) => regex.test(variant)))
  return [{ shape, pattern, covered, evidence: Math.min(EVIDENCE_ENOUGH, evidenceOf(shape)) }]
}

function partsOf({ atoms, levels }: Shape): readonly Pattern[] {
  let isGapTaken = true
  return atoms.flatMap(({ ladder, gap }, index) => {
    const step = ladder[levels[index] ?? 0]
    if (step === undefined) return []
    const takesGaps = step.takesGaps === true
    const parts = isGapTaken || takesGaps ? [step.pattern] : [gap, step.pattern]
    isGapTaken = takesGaps
    return parts
  })
}

function isSafe(pattern: string): boolean {
  try {
    checkPattern(pattern)
    return true
  } catch (error) {
    if (error instanceof RuleRefusedError) return false
    throw error
  }
}
