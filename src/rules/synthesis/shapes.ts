import { checkSafety } from "../pattern/check-pattern.ts"
import { type Pattern, sequence } from "../pattern/pattern.ts"
import { printPattern } from "../pattern/print-pattern.ts"
import { trimEnds } from "../pattern/trim-ends.ts"
import { RuleRefusedError } from "../rule-refused-error.ts"
import type { Atom, Step } from "./atom.ts"

/** Evidence of a token that few benign texts hold. */
const RARE_EVIDENCE = 2

/** Ways to write a stretch; of longer ones only some are tried. */
const MIXTURES_MAX = 48

/** A stretch of an attack's atoms, each at a step of its ladder. */
export interface Shape {
  /** Of the first atom among those of the attack. */
  readonly from: number
  readonly atoms: readonly Atom[]
  /** Index into the ladder of each atom. */
  readonly levels: readonly number[]
}

/** All stretches of a length, each in several writings, the more general first. */
export function shapesOf(atoms: readonly Atom[], length: number): readonly Shape[] {
  const starts = Array.from({ length: Math.max(0, atoms.length - length + 1) }, (_, from) => from)
  return starts.flatMap((from) => {
    const stretch = atoms.slice(from, from + length)
    return levelsOf(stretch).map((levels) => ({ from, atoms: stretch, levels }))
  })
}

/**
 * All mixtures of steps where they are few; else all tokens as general as can be, then each step
 * narrower for all, then one token exact. Without those that begin with what says nothing.
 */
function levelsOf(atoms: readonly Atom[]): readonly (readonly number[])[] {
  const tops = atoms.map(({ ladder }) => ladder.length - 1)
  const count = tops.reduce((product, top) => product * (top + 1), 1)
  const levels = count <= MIXTURES_MAX ? mixturesOf(tops) : someLevelsOf(tops)
  return levels.filter(([first = 0]) => atoms[0]?.ladder[first]?.evidence !== 0)
}

function mixturesOf([top, ...rest]: readonly number[]): readonly (readonly number[])[] {
  if (top === undefined) return [[]]
  const behind = mixturesOf(rest)
  return Array.from({ length: top + 1 }, (_, down) => top - down).flatMap((level) =>
    behind.map((levels) => [level, ...levels]),
  )
}

function someLevelsOf(tops: readonly number[]): readonly (readonly number[])[] {
  const highest = Math.max(...tops)
  const together = Array.from({ length: highest + 1 }, (_, down) =>
    tops.map((top) => Math.max(0, Math.min(top, highest - down))),
  )
  const single = tops.flatMap((top, index) => (top > 0 ? [tops.with(index, 0)] : []))
  const all = new Map([...together, ...single].map((levels) => [String(levels), levels]))
  return [...all.values()]
}

/** The sum of what its tokens say for an attack (see `Step`). */
export function evidenceOf(shape: Shape): number {
  return stepsOf(shape).reduce((sum, { evidence }) => sum + evidence, 0)
}

/**
 * Patterns of which a text that the shape matches must match each: its tokens that few benign texts
 * hold, those first that are found fastest; then all behind the tokens at which a search is slow.
 */
export function rareParts(shape: Shape): readonly string[] {
  const steps = stepsOf(shape)
  const tokens = steps
    .filter(({ evidence }) => evidence >= RARE_EVIDENCE)
    .map(({ pattern, core }) => printPattern(trimEnds(core ?? pattern)))
    .toSorted((one, other) => one.length - other.length)
  const behind = steps.findIndex(({ isLong }) => isLong !== true)
  const rest = behind > 0 ? writeShape(withoutFirst(shape, behind)) : undefined
  return rest === undefined ? tokens : [...tokens, rest]
}

function withoutFirst({ from, atoms, levels }: Shape, count: number): Shape {
  return { from: from + count, atoms: atoms.slice(count), levels: levels.slice(count) }
}

function stepsOf({ atoms, levels }: Shape): readonly Step[] {
  return atoms.flatMap(({ ladder }, index) => ladder[levels[index] ?? 0] ?? [])
}

/** The shape as text, or undefined where it cannot be written safely. */
export function writeShape(shape: Shape): string | undefined {
  const pattern = trimEnds(sequence(...partsOf(shape)))
  try {
    checkSafety(pattern)
    return printPattern(pattern)
  } catch (error) {
    if (error instanceof RuleRefusedError) return undefined
    throw error
  }
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
