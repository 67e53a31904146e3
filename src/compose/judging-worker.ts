import { threadId } from "node:worker_threads"
import { systemClock } from "../clock.ts"
import type { Config } from "../config.ts"
import type { ExplainedVerdict, FetchedEvidence } from "../events.ts"
import type { TrafficReport } from "../ml/serving/traffic-report.ts"
import type { TrafficPlan } from "../model-traffic.ts"
import { buildJudging } from "../pipeline.ts"
import { Executor } from "../stream/execute.ts"
import type { EngineObserver, SourceRecord } from "../stream/types.ts"
import { observeNothing } from "./engine-observer.ts"
import { judgingParts } from "./flow-parts.ts"
import type { ModelServer } from "./models/model-server.ts"
import { openThreadModels, type ServedModels } from "./models.ts"

/** What a thread must know of the configuration. */
export type JudgingSettings = Pick<
  Config,
  "cache" | "contamination" | "dataDir" | "predictDeadlineMs" | "thresholds" | "weights"
>

/** What the thread is asked. */
export interface JudgingOrder {
  /** The same in every order. */
  readonly settings: JudgingSettings
  /** By which models. */
  readonly plan: TrafficPlan
  readonly evidence: readonly FetchedEvidence[]
}

export interface JudgingAnswer {
  /** As JSON, which is cheaper to hand over than the object; undefined for what failed. */
  readonly verdicts: readonly (string | undefined)[]
  readonly thread: number
  readonly report: TrafficReport
  /** What the operators took for those that did not fail. */
  readonly timings: readonly OperatorTiming[]
  /** In the cache of the thread, since its last answer. */
  readonly lookups: { readonly hits: number; readonly misses: number }
}

export type OperatorTiming = Parameters<EngineObserver["operatorDone"]>

/** What its models leave to be done, and to be told, with the next answer. */
interface Pending {
  readonly later: (() => void)[]
  lookups: { hits: number; misses: number }
}

/** Keeps its models: to load them takes a second. */
class JudgingThread {
  readonly #server: ModelServer
  readonly #executor: Executor
  readonly #pending: Pending
  #timings: OperatorTiming[] = []

  static async open(settings: JudgingSettings): Promise<JudgingThread> {
    const pending: Pending = { later: [], lookups: { hits: 0, misses: 0 } }
    const models = await openThreadModels(settings, {
      schedule: (action) => void pending.later.push(action),
      onLookup(hit) {
        if (hit) pending.lookups.hits += 1
        else pending.lookups.misses += 1
      },
    })
    return new JudgingThread(models, settings, pending)
  }

  constructor(models: ServedModels, settings: JudgingSettings, pending: Pending) {
    this.#server = models.server
    this.#pending = pending
    const operatorDone = (...timing: OperatorTiming) => void this.#timings.push(timing)
    this.#executor = new Executor(buildJudging(judgingParts(models, settings)), {
      ...{ clock: systemClock, random: Math.random },
      observer: { ...observeNothing, operatorDone },
      // what fails is judged again where it came from, and tried again there
      retry: { attemptsMax: 1, baseMs: 0, capMs: 0 },
    })
  }

  async answer({ plan, evidence }: JudgingOrder): Promise<JudgingAnswer> {
    await this.#server.applyTrafficPlan({ ...plan, secondTier: undefined })
    const verdicts: (string | undefined)[] = []
    const timings: OperatorTiming[] = []
    for (const each of evidence) {
      const verdict = await this.#judge(each)
      verdicts.push(verdict)
      if (verdict !== undefined) timings.push(...this.#timings)
      this.#timings = []
    }
    // a thread that waits for its next task runs no timers: comparisons of a trial are made here
    const { later, lookups } = this.#pending
    for (let next = later.shift(); next !== undefined; next = later.shift()) next()
    this.#pending.lookups = { hits: 0, misses: 0 }
    return { verdicts, timings, lookups, thread: threadId, report: this.#server.report() }
  }

  async #judge(evidence: FetchedEvidence): Promise<string | undefined> {
    try {
      const verdict = await this.#executor.run(evidence, { ...CONTEXT, staged: undefined })
      return JSON.stringify(verdict as ExplainedVerdict)
    } catch {
      return undefined
    }
  }
}

/** No operator that judges looks at the record. */
const NO_RECORD: SourceRecord = {
  ...{ topic: "", partition: 0, offset: 0n, key: null, value: new Uint8Array(), headers: {} },
  ...{ timestampMs: 0, receivedAtMs: 0 },
}
const CONTEXT = {
  ...{ key: "", eventTimeMs: 0, record: NO_RECORD },
  signal: new AbortController().signal,
}

let opened: Promise<JudgingThread> | undefined

// biome-ignore lint/style/noDefaultExport: what a worker pool loads is a default export
export default async function answer(order: JudgingOrder): Promise<JudgingAnswer> {
  opened ??= JudgingThread.open(order.settings)
  const thread = await opened.catch((error: unknown) => {
    opened = undefined
    throw error
  })
  return thread.answer(order)
}
