import type { LoadedModel } from "../../ml/serving/load-served-model.ts"
import type { TrafficClassifier } from "../../ml/serving/traffic-classifier.ts"
import {
  combineReports,
  type TrafficReport,
  type TrialReport,
} from "../../ml/serving/traffic-report.ts"
import type { TrafficPlan } from "../../model-traffic.ts"
import type { SecondTierHolder } from "./second-tier.ts"

export interface TrafficReportsParts {
  readonly classifier: TrafficClassifier
  /** By model id; changes under traffic. */
  readonly loaded: ReadonlyMap<string, LoadedModel>
  readonly secondTier: Pick<SecondTierHolder, "report">
  readonly residentBytes: () => number
}

/** Worker processes whose counts are held; there are as many as cores. */
const WORKERS_MAX = 1_024

/** A trial that is over, with all that was seen of it. */
export interface EndedTrial {
  readonly modelId: string
  readonly referenceId: string
  readonly seen: TrialReport
}

/** What this process has counted, and what its workers have. */
export class TrafficReports {
  readonly #parts: TrafficReportsParts
  readonly #ofWorkers = new Map<string, TrafficReport>()
  readonly #ofThreads = new Map<number, TrafficReport>()
  #ended: EndedTrial | undefined

  constructor(parts: TrafficReportsParts) {
    this.#parts = parts
  }

  /** Of this process alone, its threads included. @param revision of the plan that it answers by */
  own(revision: number): TrafficReport {
    return combineReports([this.#ofThisThread(revision), ...this.#ofThreads.values()])
  }

  #ofThisThread(revision: number): TrafficReport {
    const { classifier, loaded, secondTier, residentBytes } = this.#parts
    const comparison = classifier.traffic().trial?.comparison
    return {
      revision,
      models: [...loaded.values()].map(({ modelId, meter, breaker }) => {
        const { state, errorRate } = breaker
        return { modelId, counts: meter.counts(), breaker: state, errorRate }
      }),
      trial: comparison && {
        counts: comparison.counts(),
        agreement: comparison.agreement(),
        examples: comparison.examples(),
        scores: comparison.scores(),
      },
      secondTier: secondTier.report(),
      skippedComparisons: classifier.skippedComparisons(),
      cache: classifier.cacheStats(),
      residentBytes: residentBytes(),
    }
  }

  /** Takes in what a worker has counted; a later report of it replaces an earlier one. */
  receive(workerId: string, report: TrafficReport): void {
    if (this.#ofWorkers.size < WORKERS_MAX) this.#ofWorkers.set(workerId, report)
  }

  /** The same for a thread of this process. */
  receiveOfThread(thread: number, report: TrafficReport): void {
    if (this.#ofThreads.size < WORKERS_MAX) this.#ofThreads.set(thread, report)
  }

  /** The last trial that came to its end, since the process started. */
  get ended(): EndedTrial | undefined {
    return this.#ended
  }

  /** Keeps what was seen of a plan's trial: who takes a model back is asked why. To be called before it is over. */
  endTrial({ trial, revision }: TrafficPlan): void {
    if (trial === undefined) return
    const { modelId, referenceId } = trial
    const { trial: seen } = this.combined(revision)
    if (seen !== undefined) this.#ended = { modelId, referenceId, seen }
  }

  /** Of this process and all workers. */
  combined(revision: number): TrafficReport {
    return combineReports([this.own(revision), ...this.#ofWorkers.values()])
  }
}
