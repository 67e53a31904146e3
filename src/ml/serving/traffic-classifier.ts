import type { Classification } from "../../events.ts"
import type { CachedClassifier, PayloadClassifier, PayloadInput } from "../../ports.ts"
import type { ArmMeter } from "./arm-meter.ts"
import type { CircuitBreaker } from "./circuit-breaker.ts"
import { ComparisonQueue, type ComparisonQueueParts } from "./comparison-queue.ts"
import { judgeByRules } from "./judge-by-rules.ts"
import { withKind } from "./payload-kind.ts"
import { isInShare, sessionHash } from "./session-share.ts"
import { type Judged, SESSION_SLOTS, type TrialComparison } from "./trial-comparison.ts"

/** One loaded model, with what is known of how it does. */
export interface ServedModel {
  readonly modelId: string
  readonly classifier: CachedClassifier
  /** The same without memory: a comparison neither uses nor fills the cache. */
  readonly uncached: PayloadClassifier
  readonly breaker: CircuitBreaker
  readonly meter: ArmMeter
}

export interface ServedTrial {
  readonly model: ServedModel
  readonly reference: ServedModel
  /** 0..100 */
  readonly percent: number
  readonly comparison: TrialComparison
}

/** Who answers: replaced as a whole, so that every payload is judged by one or the other plan. */
export interface Traffic {
  readonly live: ServedModel
  /** Answers, degraded, while `live` cannot. */
  readonly standby: ServedModel | undefined
  readonly trial: ServedTrial | undefined
}

export interface TrafficClassifier extends CachedClassifier {
  /** Changes who answers, between two payloads. */
  swap(traffic: Traffic): void
  traffic(): Traffic
  /** Comparisons that were skipped because too many waited. */
  skippedComparisons(): number
}

export interface TrafficParts extends Pick<ComparisonQueueParts<unknown>, "schedule" | "nowMs"> {
  readonly traffic: Traffic
  /** Told of each failure of a model; never of the payload. */
  readonly onFailure?: (modelId: string, error: unknown) => void
}

interface Answer {
  readonly classification: Classification
  readonly cached: boolean
  readonly elapsedMs?: number
}

interface Waiting {
  readonly trial: ServedTrial
  readonly input: PayloadInput
  readonly slot: number
  readonly by: ServedModel
  readonly judged: Judged
}

/**
 * Shares the traffic out between models: all to the live one, or a share of the sessions to a canary,
 * while another model may judge in the shadow. Which sessions a canary answers is a hash of its id and
 * theirs, so a session stays where it is while the share grows; a payload without a session is its own.
 *
 * It never throws: where a model fails or its circuit breaker is open, the live one answers, then the
 * one that was live before, then the rules, and the answer says so (`degraded`).
 */
export function trafficClassifier(parts: TrafficParts): TrafficClassifier {
  const { nowMs, schedule } = parts
  let { traffic } = parts
  const queue = new ComparisonQueue<Waiting>({
    nowMs,
    schedule,
    charsOf: ({ input }) => input.text.length,
    compare: (waiting) => compare(waiting, nowMs),
  })

  /** undefined where the model is not to be asked, or failed. */
  function ask(model: ServedModel, input: PayloadInput): Answer | undefined {
    if (!model.breaker.lets) return undefined
    const startedMs = nowMs()
    try {
      const { classification, cached } = model.classifier.lookup(input)
      model.meter.answered(classification)
      if (cached) return { classification, cached }
      const elapsedMs = nowMs() - startedMs
      model.meter.took(elapsedMs)
      model.breaker.succeeded(elapsedMs)
      return { classification, cached, elapsedMs }
    } catch (error) {
      model.meter.failed()
      model.breaker.failed()
      parts.onFailure?.(model.modelId, error)
      return undefined
    }
  }

  function standIn(chosen: ServedModel, input: PayloadInput): Answer {
    chosen.meter.stoodIn()
    const { live, standby } = traffic
    if (live !== chosen) {
      const answer = ask(live, input)
      if (answer !== undefined) return answer
    }
    const earlier = standby === undefined || standby === chosen ? undefined : ask(standby, input)
    if (earlier === undefined) return { classification: judgeByRules(input), cached: false }
    return { ...earlier, classification: { ...earlier.classification, degraded: true } }
  }

  function lookup(input: PayloadInput, options?: { readonly sessionId?: string }): Answer {
    const { live, trial } = traffic
    if (trial === undefined) return ask(live, input) ?? standIn(live, input)
    const hash = sessionHash(trial.model.modelId, options?.sessionId ?? input.text)
    const isTried = isInShare(hash, trial.percent)
    const by = isTried ? trial.model : trial.reference
    const answer = ask(by, input)
    if (answer?.cached !== true) {
      const { classification, elapsedMs = 0 } = answer ?? {}
      const judged = classification && { classification, elapsedMs }
      queue.offer({ trial, input, by, judged, slot: hash % SESSION_SLOTS })
    }
    return answer ?? standIn(by, input)
  }

  const served = (modelId: string | undefined): ServedModel => {
    const { live, standby, trial } = traffic
    return [trial?.model, standby].find((model) => model?.modelId === modelId) ?? live
  }

  return {
    get info() {
      return traffic.live.classifier.info
    },
    get certainThreshold() {
      return traffic.live.classifier.certainThreshold
    },
    get thresholds() {
      return traffic.live.classifier.thresholds ?? {}
    },
    classify: (input) => lookup(input).classification,
    explain: (input, spansMax, modelId) => served(modelId).classifier.explain(input, spansMax),
    lookup,
    cacheStats: () => cacheStats(traffic),
    swap(next) {
      traffic = next
    },
    traffic: () => traffic,
    skippedComparisons: () => queue.skipped,
  }
}

/** Asks the model that did not answer; both are then known on the same payload. */
function compare({ trial, input, slot, by, judged }: Waiting, nowMs: () => number): void {
  const isTried = by === trial.model
  const other = judge(isTried ? trial.reference : trial.model, input, nowMs)
  const [reference, tried] = isTried ? [other, judged] : [judged, other]
  trial.comparison.compare({ text: input.text, slot, reference, trial: tried })
}

function judge(model: ServedModel, input: PayloadInput, nowMs: () => number): Judged {
  const startedMs = nowMs()
  try {
    const classification = model.uncached.classify(withKind(input))
    return { classification, elapsedMs: nowMs() - startedMs }
  } catch {
    // counted as an error of the trial, or left out where the reference threw
    return undefined
  }
}

function cacheStats({ live, standby, trial }: Traffic): ReturnType<CachedClassifier["cacheStats"]> {
  const models = new Set([live, standby, trial?.model].filter((model) => model !== undefined))
  const stats = [...models].map(({ classifier }) => classifier.cacheStats())
  const sum = (field: "hits" | "misses") => stats.reduce((total, each) => total + each[field], 0)
  // one memory for all of them
  const { entries, entriesMax } = live.classifier.cacheStats()
  return { entries, entriesMax, hits: sum("hits"), misses: sum("misses") }
}
