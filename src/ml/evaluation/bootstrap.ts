import { Random } from "../random.ts"
import type { ScorePool } from "./score-pool.ts"

/** A 95% interval; the figure itself need not be in its middle. */
export interface Interval {
  readonly low: number
  readonly high: number
}

export interface BootstrapOptions {
  readonly seed: number
  /** Default 1,000. */
  readonly replicates?: number
}

const REPLICATES = 1_000
const TAIL = 0.025

/**
 * 95% percentile intervals of every figure, by drawing the sources anew with replacement: rows of
 * one source are alike, so rows drawn one by one would promise too much. With one source, or for a
 * figure that most draws cannot have, there is no interval.
 *
 * @see Efron, Tibshirani 1993, "An Introduction to the Bootstrap", chapters 8 and 13
 */
export function bootstrapIntervals(
  pool: ScorePool,
  { seed, replicates = REPLICATES }: BootstrapOptions,
): Readonly<Record<string, Interval>> {
  if (pool.sources.length < 2) return {}
  const random = new Random(seed)
  const draws = new Map<string, number[]>()
  for (let replicate = 0; replicate < replicates; replicate++) {
    const figures = pool.figures(drawWeights(pool.sources.length, random))
    for (const [name, value] of Object.entries(figures)) {
      if (value !== null) remember(draws, name, value)
    }
  }
  const usable = [...draws].filter(([, values]) => values.length > replicates / 2)
  return Object.fromEntries(usable.map(([name, values]) => [name, percentiles(values)]))
}

function drawWeights(sources: number, random: Random): Uint16Array {
  const weights = new Uint16Array(sources)
  for (let drawn = 0; drawn < sources; drawn++) {
    const source = random.below(sources)
    weights[source] = (weights[source] ?? 0) + 1
  }
  return weights
}

function remember(draws: Map<string, number[]>, name: string, value: number): void {
  const known = draws.get(name)
  if (known === undefined) draws.set(name, [value])
  else known.push(value)
}

function percentiles(values: number[]): Interval {
  values.sort((left, right) => left - right)
  const at = (share: number) => values[Math.round(share * (values.length - 1))] ?? 0
  return { low: at(TAIL), high: at(1 - TAIL) }
}
