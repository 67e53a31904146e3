import type { Tally, TrialCounts } from "../../model-traffic.ts"
import type { CachedClassifier } from "../../ports.ts"
import type { ArmCounts } from "./arm-meter.ts"
import type { BreakerState } from "./circuit-breaker.ts"
import type { Agreement, Disagreement, PairedScores } from "./trial-comparison.ts"

/** What one process, or several, saw of one loaded model. */
export interface ModelReport {
  readonly modelId: string
  readonly counts: ArmCounts
  /** Of several processes the worst. */
  readonly breaker: BreakerState
  readonly errorRate: number
}

export interface TrialReport {
  readonly counts: TrialCounts
  readonly agreement: Agreement
  readonly examples: readonly Disagreement[]
  readonly scores: PairedScores
}

/** The second tier of one process, or of several: the worst breaker, and all that wait. */
export interface SecondTierReport extends Pick<ModelReport, "modelId" | "breaker" | "errorRate"> {
  /** Texts that are being judged or wait for it. */
  readonly waiting: number
  /** Beside the fast tier; undefined where it answers all sessions. */
  readonly trial: Pick<TrialReport, "agreement" | "examples"> | undefined
}

/** What one process has counted of a plan. Plain data, to be sent from a worker to the primary. */
export interface TrafficReport {
  /** Of the plan that the trial was counted under; counts of an earlier one say nothing of this. */
  readonly revision: number
  readonly models: readonly ModelReport[]
  /** undefined where nothing is on trial. */
  readonly trial: TrialReport | undefined
  /** undefined where the fast tier answers alone. */
  readonly secondTier: SecondTierReport | undefined
  readonly skippedComparisons: number
  readonly cache: CacheStats
  /** Resident memory of the process; of several the mean, for a model that leaks does so in each. */
  readonly residentBytes: number
}

type CacheStats = ReturnType<CachedClassifier["cacheStats"]>

const EXAMPLES_MAX = 50
const BREAKER_STATES: readonly BreakerState[] = ["closed", "half-open", "open"]

/** The first report with what the others add to it: its models, and its trial where they have the same plan. */
export function combineReports([own, ...others]: readonly [
  TrafficReport,
  ...TrafficReport[],
]): TrafficReport {
  const all = [own, ...others]
  const trials = all
    .filter(({ revision }) => revision === own.revision)
    .flatMap(({ trial }) => trial ?? [])
  const [first, ...rest] = trials
  const secondTiers = others.flatMap(({ secondTier }) =>
    secondTier?.modelId === own.secondTier?.modelId ? (secondTier ?? []) : [],
  )
  return {
    revision: own.revision,
    models: own.models.map((model) => {
      const same = others.flatMap(({ models }) =>
        models.filter(({ modelId }) => modelId === model.modelId),
      )
      return same.reduce(addModels, model)
    }),
    trial: first && rest.reduce(addTrials, first),
    secondTier: own.secondTier && secondTiers.reduce(addSecondTiers, own.secondTier),
    skippedComparisons: all.reduce((sum, each) => sum + each.skippedComparisons, 0),
    cache: all.map(({ cache }) => cache).reduce(addCaches),
    residentBytes: all.reduce((sum, each) => sum + each.residentBytes, 0) / all.length,
  }
}

type Health = Pick<ModelReport, "modelId" | "breaker" | "errorRate">

/** A model is as well as in the process in which it is worst. */
function worse(one: Health, other: Health): Health {
  const worst = Math.max(BREAKER_STATES.indexOf(one.breaker), BREAKER_STATES.indexOf(other.breaker))
  return {
    modelId: one.modelId,
    breaker: BREAKER_STATES[worst] ?? "closed",
    errorRate: Math.max(one.errorRate, other.errorRate),
  }
}

function addModels(one: ModelReport, other: ModelReport): ModelReport {
  return { ...worse(one, other), counts: addCounts(one.counts, other.counts) }
}

function addSecondTiers(one: SecondTierReport, other: SecondTierReport): SecondTierReport {
  const [trial, more] = [one.trial, other.trial]
  return {
    ...{ ...worse(one, other), waiting: one.waiting + other.waiting },
    trial: trial && more ? addSeen(trial, more) : (trial ?? more),
  }
}

function addCounts(one: ArmCounts, other: ArmCounts): ArmCounts {
  return {
    classes: addEach(one.classes, other.classes),
    scores: addEach(one.scores, other.scores),
    confidenceSum: one.confidenceSum + other.confidenceSum,
    calls: one.calls + other.calls,
    callMsSum: one.callMsSum + other.callMsSum,
    errors: one.errors + other.errors,
    degraded: one.degraded + other.degraded,
  }
}

type Seen = Pick<TrialReport, "agreement" | "examples">

function addSeen(one: Seen, other: Seen): Seen {
  const [of, more] = [one.agreement, other.agreement]
  return {
    agreement: {
      classes: of.classes,
      matrix: of.matrix.map((row, index) => addEach(row, more.matrix[index] ?? [])),
      compared: of.compared + more.compared,
      disagreed: of.disagreed + more.disagreed,
    },
    examples: [...one.examples, ...other.examples].slice(-EXAMPLES_MAX),
  }
}

function addTrials(one: TrialReport, other: TrialReport): TrialReport {
  return {
    ...addSeen(one, other),
    counts: {
      errors: addTallies(one.counts.errors, other.counts.errors),
      slow: addTallies(one.counts.slow, other.counts.slow),
      missedAttacks: addTallies(one.counts.missedAttacks, other.counts.missedAttacks),
      falseAlarms: addTallies(one.counts.falseAlarms, other.counts.falseAlarms),
    },
    scores: {
      reference: addEach(one.scores.reference, other.scores.reference),
      trial: addEach(one.scores.trial, other.scores.trial),
    },
  }
}

function addCaches(one: CacheStats, other: CacheStats): CacheStats {
  return {
    entries: one.entries + other.entries,
    entriesMax: one.entriesMax + other.entriesMax,
    hits: one.hits + other.hits,
    misses: one.misses + other.misses,
  }
}

function addTallies(one: Tally, other: Tally): Tally {
  return { events: one.events + other.events, trials: one.trials + other.trials }
}

function addEach(one: readonly number[], other: readonly number[]): readonly number[] {
  return one.map((count, index) => count + (other[index] ?? 0))
}
