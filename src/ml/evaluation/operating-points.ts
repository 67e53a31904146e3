import type { Interval } from "./bootstrap.ts"
import { FALSE_POSITIVE_RATES, thresholdAt } from "./payload-report.ts"
import type { Figures, SourcedJudgement } from "./score-pool.ts"

/** A figure and, where sources are many enough, its 95% interval. */
export interface Estimate {
  readonly value: number | null
  readonly interval?: Interval
}

/** What a threshold chosen for one false positive rate gives. */
export interface OperatingPoint {
  /** Share of benign rows that may be called attacks, 0..1. */
  readonly rate: number
  /** P(attack) above which a row is called an attack, chosen on this very set. */
  readonly threshold: number
  readonly recall: Estimate
  /** The model's own threshold for that rate, chosen elsewhere; absent where it holds none. */
  readonly stored?: {
    readonly threshold: number
    readonly recall: Estimate
    /** The rate really met here. */
    readonly fpr: Estimate
  }
}

/** The pooled figures of a set, its intervals and the thresholds that the model holds. */
export interface PooledFigures {
  readonly figures: Figures
  readonly intervals: Readonly<Record<string, Interval>>
  readonly thresholds: Readonly<Record<string, number>>
}

/** One point for each rate of FALSE_POSITIVE_RATES; none without benign rows. */
export function operatingPoints(
  rows: readonly SourcedJudgement[],
  pooled: PooledFigures,
): readonly OperatingPoint[] {
  const benign = rows.filter(({ label }) => label === "benign")
  const scores = benign.map(({ attackProbability }) => attackProbability)
  if (scores.length === 0) return []
  return FALSE_POSITIVE_RATES.map((rate) => ({
    rate,
    threshold: thresholdAt(scores, rate),
    recall: estimate(`recallAtFpr.${rate}`, pooled),
    ...storedPoint(rate, pooled),
  }))
}

function storedPoint(rate: number, pooled: PooledFigures): Pick<OperatingPoint, "stored"> {
  const threshold = pooled.thresholds[`${rate}`]
  if (threshold === undefined) return {}
  const recall = estimate(`recallAtStored.${rate}`, pooled)
  return { stored: { threshold, recall, fpr: estimate(`fprAtStored.${rate}`, pooled) } }
}

function estimate(name: string, { figures, intervals }: PooledFigures): Estimate {
  const interval = intervals[name]
  return { value: figures[name] ?? null, ...(interval && { interval }) }
}
