import { RELIABILITY_BINS } from "./calibration.ts"
import {
  FALSE_POSITIVE_RATES,
  harmonicMean,
  type JudgedPayload,
  MAIN_CLASSES,
  ratio,
} from "./payload-report.ts"

/** A judged row and the source that it came from. */
export interface SourcedJudgement extends JudgedPayload {
  readonly source: string
}

/** Figures by name; null where the weighted rows have none. */
export type Figures = Readonly<Record<string, number | null>>

interface PooledRow {
  readonly score: number
  readonly source: number
}

interface Tally {
  rows: number
  attacks: number
  caught: number
  alarms: number
  /** [MAIN_CLASSES] */
  readonly support: number[]
  readonly predicted: number[]
  readonly right: number[]
}

/**
 * Judged rows sorted once, so that the figures of any re-weighting of their sources are one pass
 * over them: what a bootstrap by source asks for a thousand times.
 */
export class ScorePool {
  /** Names in the order of the weights. */
  readonly sources: readonly string[]
  readonly #tallies: readonly Tally[]
  /** By falling P(attack). */
  readonly #attacks: readonly PooledRow[]
  readonly #benign: readonly PooledRow[]
  /** By rising confidence. */
  readonly #answers: readonly (PooledRow & { readonly right: boolean })[]
  readonly #thresholds: Readonly<Record<string, number>>

  /** @param thresholds stored ones by the rate they were chosen for, judged beside the others */
  constructor(
    rows: readonly SourcedJudgement[],
    thresholds: Readonly<Record<string, number>> = {},
  ) {
    this.sources = [...new Set(rows.map((row) => row.source))]
    const indexes = new Map(this.sources.map((name, index) => [name, index]))
    const pooled = rows.map((row) => ({
      row,
      score: row.attackProbability,
      source: indexes.get(row.source) ?? 0,
    }))
    const falling = pooled.toSorted((left, right) => right.score - left.score)
    this.#attacks = falling.filter(({ row }) => row.label !== "benign").map(scoreOf)
    this.#benign = falling.filter(({ row }) => row.label === "benign").map(scoreOf)
    this.#answers = pooled
      .toSorted((left, right) => left.row.confidence - right.row.confidence)
      .map(({ row, source }) => ({
        score: row.confidence,
        source,
        right: row.label === row.predicted,
      }))
    this.#tallies = this.sources.map(newTally)
    for (const { row, source } of pooled) count(this.#tallies[source], row)
    this.#thresholds = thresholds
  }

  /** @param weights [sources] how often each source counts; all 1 = the set itself */
  figures(weights: Uint16Array): Figures {
    const sum = (pick: (tally: Tally) => number) =>
      this.#tallies.reduce((total, tally, index) => total + (weights[index] ?? 0) * pick(tally), 0)
    const caught = sum((tally) => tally.caught)
    const alarms = sum((tally) => tally.alarms)
    const attacks = sum((tally) => tally.attacks)
    const benign = sum((tally) => tally.rows - tally.attacks)
    const precision = attacks === 0 ? null : ratio(caught, caught + alarms)
    const recall = ratio(caught, attacks)
    return {
      precision,
      recall,
      f1: precision === null || recall === null ? null : harmonicMean(precision, recall),
      fpr: ratio(alarms, benign),
      macroF1: macroF1(sum),
      ece: this.#calibrationError(weights),
      ...this.#atRates(weights, { attacks, benign }),
      ...this.#atStored(weights, { attacks, benign }),
    }
  }

  #atRates(weights: Uint16Array, totals: { attacks: number; benign: number }): Figures {
    const figures: Record<string, number | null> = {}
    for (const rate of FALSE_POSITIVE_RATES) {
      const allowed = Math.floor(totals.benign * rate)
      const above = weightAbove(this.#attacks, weights, thresholdOf(this.#benign, weights, allowed))
      figures[`recallAtFpr.${rate}`] = totals.benign === 0 ? null : ratio(above, totals.attacks)
    }
    return figures
  }

  #atStored(weights: Uint16Array, totals: { attacks: number; benign: number }): Figures {
    const figures: Record<string, number | null> = {}
    for (const [rate, threshold] of Object.entries(this.#thresholds)) {
      const caught = weightAbove(this.#attacks, weights, threshold)
      const alarms = weightAbove(this.#benign, weights, threshold)
      figures[`recallAtStored.${rate}`] = ratio(caught, totals.attacks)
      figures[`fprAtStored.${rate}`] = ratio(alarms, totals.benign)
    }
    return figures
  }

  #calibrationError(weights: Uint16Array): number {
    const weightOf = (row: PooledRow) => weights[row.source] ?? 0
    const total = this.#answers.reduce((sum, row) => sum + weightOf(row), 0)
    let [seen, confidence, right, gap, bin, last] = [0, 0, 0, 0, 1, Number.NaN]
    for (const row of this.#answers) {
      if (seen >= Math.floor((bin * total) / RELIABILITY_BINS) && row.score !== last) {
        gap += Math.abs(confidence - right)
        ;[confidence, right] = [0, 0]
        while (bin < RELIABILITY_BINS && seen >= Math.floor((bin * total) / RELIABILITY_BINS)) bin++
      }
      const weight = weightOf(row)
      if (weight === 0) continue
      seen += weight
      confidence += weight * row.score
      if (row.right) right += weight
      last = row.score
    }
    return total === 0 ? 0 : (gap + Math.abs(confidence - right)) / total
  }
}

function scoreOf({ score, source }: PooledRow): PooledRow {
  return { score, source }
}

function newTally(): Tally {
  const zeros = () => MAIN_CLASSES.map(() => 0)
  return {
    ...{ rows: 0, attacks: 0, caught: 0, alarms: 0 },
    ...{ support: zeros(), predicted: zeros(), right: zeros() },
  }
}

function count(tally: Tally | undefined, { label, predicted }: JudgedPayload): void {
  if (tally === undefined) return
  const isAttack = label !== "benign"
  const isCalled = predicted !== "benign"
  tally.rows += 1
  if (isAttack) tally.attacks += 1
  if (isCalled && isAttack) tally.caught += 1
  if (isCalled && !isAttack) tally.alarms += 1
  increment(tally.support, label)
  increment(tally.predicted, predicted)
  if (label === predicted) increment(tally.right, label)
}

function increment(counts: number[], name: string): void {
  const index = MAIN_CLASSES.indexOf(name)
  if (index >= 0) counts[index] = (counts[index] ?? 0) + 1
}

function macroF1(sum: (pick: (tally: Tally) => number) => number): number | null {
  const scores = MAIN_CLASSES.flatMap((_, index) => {
    const support = sum((tally) => tally.support[index] ?? 0)
    const right = sum((tally) => tally.right[index] ?? 0)
    const precision =
      ratio(
        right,
        sum((tally) => tally.predicted[index] ?? 0),
      ) ?? 0
    return support === 0 ? [] : [harmonicMean(precision, right / support)]
  })
  return ratio(
    scores.reduce((total, score) => total + score, 0),
    scores.length,
  )
}

/** The score that benign rows of a weight of at most `allowed` exceed. */
function thresholdOf(falling: readonly PooledRow[], weights: Uint16Array, allowed: number): number {
  let seen = 0
  for (const { score, source } of falling) {
    seen += weights[source] ?? 0
    if (seen > allowed) return score
  }
  return 0
}

function weightAbove(
  falling: readonly PooledRow[],
  weights: Uint16Array,
  threshold: number,
): number {
  let total = 0
  for (const { score, source } of falling) {
    if (score <= threshold) break
    total += weights[source] ?? 0
  }
  return total
}
