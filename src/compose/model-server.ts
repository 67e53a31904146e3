import type {
  ModelChange,
  ModelDetail,
  ModelOperations,
  ModelServerHealth,
  ModelSummary,
  PromoteRequest,
} from "../api/model-operations.ts"
import { MalformedError, ModelNotPromotableError, publicError } from "../errors.ts"
import { type LoadedModel, warmMemory } from "../ml/serving/load-served-model.ts"
import { type CatalogEntry, listPayloadModels } from "../ml/serving/model-catalog.ts"
import {
  CANARY_STAGES,
  endProbation,
  nextStage,
  promote,
  rollback,
} from "../ml/serving/registry-state.ts"
import { type TrafficClassifier, trafficClassifier } from "../ml/serving/traffic-classifier.ts"
import { combineReports, type TrafficReport } from "../ml/serving/traffic-report.ts"
import { type GuardName, type GuardReading, TrialGuards } from "../ml/serving/trial-guards.ts"
import type {
  ModelRegistryStore,
  RegistryState,
  Tally,
  TrafficPlan,
  TrialCounts,
} from "../model-traffic.ts"
import {
  describe,
  describeFixed,
  type FixedModel,
  findModel,
  recordOf,
  summarize,
  summarizeFixed,
} from "./model-descriptions.ts"
import { describeTraffic, healthOfModels, type ModelGauges, modelGauges } from "./model-gauges.ts"
import { ReportedAnswers } from "./reported-answers.ts"
import { loadPlan, type PlanParts, type ServablePlan, trafficOf } from "./served-plan.ts"

export interface ModelServerParts extends PlanParts {
  readonly store: ModelRegistryStore
  /** Monotonic milliseconds. */
  readonly monotonicMs: () => number
  /** Runs an action later, never at once; for comparisons. */
  readonly schedule: (action: () => void, delayMs: number) => void
  readonly residentBytes: () => number
  /** Models that are in use and not changed under traffic: they are listed, and that is all. */
  readonly fixed?: readonly FixedModel[]
  /** Told of each rollback that a guard decided. */
  readonly onTripped?: (guard: GuardName) => void
}

const NO_TALLY: Tally = { events: 0, trials: 0 }
const NO_COUNTS: TrialCounts = {
  errors: NO_TALLY,
  slow: NO_TALLY,
  missedAttacks: NO_TALLY,
  falseAlarms: NO_TALLY,
}

/** How often guards look: a trial that goes wrong is over within a second. */
export const LOOK_EVERY_MS = 250
/** The least time and number of comparisons at which a canary goes on by itself. */
export const STAGE_HOLD_MS = 600_000
export const STAGE_COMPARISONS_MIN = 200
/** A promoted model is compared with the one before it for so long. */
export const PROBATION_MS = 3_600_000
/** Worker processes whose counts are held; there are as many as cores. */
const WORKERS_MAX = 1_024

/**
 * Serves payload models and changes them under traffic: loads, checks and warms a model up, writes the
 * decision down, and then replaces who answers by one assignment between two payloads. What cannot be
 * loaded or written leaves everything as it was.
 */
export class ModelServer implements ModelOperations {
  readonly classifier: TrafficClassifier
  readonly reported: ReportedAnswers
  readonly #parts: ModelServerParts
  readonly #loaded: Map<string, LoadedModel>
  readonly #listeners = new Set<(plan: TrafficPlan) => void>()
  readonly #reports = new Map<string, TrafficReport>()
  #state: RegistryState
  #guards: TrialGuards | undefined

  /** @throws ModelRefusedError where nothing can be served */
  static async open(parts: ModelServerParts): Promise<ModelServer> {
    const remembered = readState(parts)
    const servable = await loadPlan(remembered, parts)
    if (remembered !== undefined && servable.state !== remembered) {
      persist(parts, servable.state)
    }
    return new ModelServer(parts, servable)
  }

  constructor(parts: ModelServerParts, { state, loaded }: ServablePlan) {
    this.#parts = parts
    this.#state = state
    this.#loaded = new Map(loaded)
    const { log, monotonicMs: nowMs, schedule } = parts
    this.classifier = trafficClassifier({
      traffic: trafficOf(state.plan, this.#loaded),
      nowMs,
      schedule,
      onFailure: (model, error) => {
        const reason = error instanceof Error ? error.name : typeof error
        log.error("a payload model failed", { model, reason })
      },
    })
    this.reported = new ReportedAnswers(this.classifier)
    this.#guards = this.#guardsOf(state.plan)
  }

  /** Which model answers what. */
  snapshot(): TrafficPlan {
    return this.#state.plan
  }

  /** @returns what ends the subscription */
  subscribe(listener: (plan: TrafficPlan) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  async list(): Promise<readonly ModelSummary[]> {
    const catalog = await listPayloadModels(this.#parts.directories)
    const found = catalog.map((entry) => summarize(entry, this.#state).catch(() => undefined))
    const payloadModels = (await Promise.all(found)).filter((summary) => summary !== undefined)
    return [...payloadModels, ...(this.#parts.fixed ?? []).map(summarizeFixed)]
  }

  async show(modelId: string): Promise<ModelDetail> {
    const fixed = this.#parts.fixed?.find(({ info }) => info.modelId === modelId)
    if (fixed !== undefined) return describeFixed(fixed)
    const entry = await findModel(this.#parts.directories, modelId)
    const parts = this.#gaugeParts(this.#combined())
    const traffic = describeTraffic(modelId, modelGauges(parts), parts)
    return describe(entry, this.#state, traffic)
  }

  async promote(request: PromoteRequest): Promise<ModelChange> {
    const { modelId, percent, auto = false, reason = "asked for by an operator" } = request
    if (!(percent >= 0 && percent <= 100)) throw new MalformedError("canary_percent", "0 to 100")
    const entry = await findModel(this.#parts.directories, modelId)
    // asked twice, as after an answer that got lost: it is done
    if (modelId === this.#state.plan.live && percent === 100) return this.#change(modelId)
    const { obstacles } = await summarize(entry, this.#state)
    if (obstacles.length > 0) throw new ModelNotPromotableError(obstacles)
    const before = recordOf(this.#state, modelId).state
    const model = this.#loaded.get(modelId) ?? (await this.#parts.load(entry))
    const live = this.#loaded.get(this.#state.plan.live)
    if (live !== undefined) await warmMemory(model, live)
    // a guard, or somebody else, may have decided about it while it was loaded
    if (recordOf(this.#state, modelId).state !== before) {
      throw new ModelNotPromotableError(["its state has just been changed: look at it again"])
    }
    this.#loaded.set(modelId, model)
    const share = auto ? Math.min(percent, CANARY_STAGES[0]) : percent
    const nowMs = this.#parts.nowMs()
    this.#apply(promote(this.#state, { modelId, percent: share, auto, reason, nowMs }))
    return this.#change(modelId)
  }

  async rollback(reason: string): Promise<ModelChange> {
    const next = rollback(this.#state, { reason, nowMs: this.#parts.nowMs() })
    if (next === undefined) {
      throw new ModelNotPromotableError(["no model was live before this one"])
    }
    this.#apply(next)
    return this.#change(next.plan.live)
  }

  health(): ModelServerHealth {
    const { plan } = this.#state
    const report = this.#combined()
    const { cache, skippedComparisons } = report
    return { plan, models: healthOfModels(report, plan), cache, skippedComparisons }
  }

  /** Takes over the plan of another process, which decides and remembers. An older plan is passed over. */
  async applyTrafficPlan(plan: TrafficPlan): Promise<void> {
    if (plan.revision <= this.#state.plan.revision) return
    const load = async (entry: CatalogEntry) =>
      this.#loaded.get(entry.modelId) ?? (await this.#parts.load(entry))
    const { models } = this.#state
    const { state, loaded } = await loadPlan({ plan, models }, { ...this.#parts, load })
    if (plan.revision <= this.#state.plan.revision) return
    for (const [modelId, model] of loaded) this.#loaded.set(modelId, model)
    // the primary's number, so that what this process could not load is not mistaken for a newer plan
    this.#serve({ ...state, plan: { ...state.plan, revision: plan.revision } })
  }

  /** What this process has counted. */
  report(): TrafficReport {
    const comparison = this.classifier.traffic().trial?.comparison
    return {
      revision: this.#state.plan.revision,
      models: [...this.#loaded.values()].map(({ modelId, meter, breaker }) => {
        const { state, errorRate } = breaker
        return { modelId, counts: meter.counts(), breaker: state, errorRate }
      }),
      trial: comparison && {
        counts: comparison.counts(),
        agreement: comparison.agreement(),
        examples: comparison.examples(),
      },
      skippedComparisons: this.classifier.skippedComparisons(),
      cache: this.classifier.cacheStats(),
      residentBytes: this.#parts.residentBytes(),
    }
  }

  /** Takes in what a worker process has counted; the guards look at the sum. */
  receive(workerId: string, report: TrafficReport): void {
    if (this.#reports.size < WORKERS_MAX) this.#reports.set(workerId, report)
  }

  /** Looks at the trial once: ends it, lets it go on, or gives it the next share. */
  look(): void {
    const { trial } = this.#state.plan
    if (trial === undefined || this.#guards === undefined) return
    const trip = this.#guards.look(this.#reading())
    if (trip !== undefined) {
      this.#parts.log.error("a guard ends the trial of a model", {
        model: trial.modelId,
        guard: trip.guard,
        reason: trip.reason,
      })
      this.#parts.onTripped?.(trip.guard)
      this.#takeBack(trip.reason)
      return
    }
    const heldMs = this.#parts.nowMs() - trial.sinceMs
    if (trial.mode === "probation") {
      if (heldMs >= PROBATION_MS) this.#tryApply(endProbation(this.#state))
      return
    }
    const percent = trial.auto ? nextStage(trial.percent) : undefined
    const { trials } = this.#reading().counts.errors
    if (percent === undefined || heldMs < STAGE_HOLD_MS || trials < STAGE_COMPARISONS_MIN) return
    const nowMs = this.#parts.nowMs()
    const reason = `nothing spoke against it at ${trial.percent}%`
    this.#tryApply(promote(this.#state, { ...trial, percent, nowMs, reason }))
  }

  /** What the metrics of this process show of every loaded model. */
  gauges(): ModelGauges {
    return modelGauges(this.#gaugeParts(this.report()))
  }

  /** @returns what stops it */
  watch(): () => void {
    const timer = setInterval(() => this.look(), LOOK_EVERY_MS)
    timer.unref()
    return () => clearInterval(timer)
  }

  #change(modelId: string): ModelChange {
    const { plan } = this.#state
    const percent = plan.live === modelId ? 100 : (plan.trial?.percent ?? 0)
    const { state } = recordOf(this.#state, modelId)
    return { modelId, state, percent, at: new Date(this.#parts.nowMs()).toISOString() }
  }

  /** With what the workers have reported. */
  #combined(): TrafficReport {
    return combineReports([this.report(), ...this.#reports.values()])
  }

  #gaugeParts(report: TrafficReport) {
    const models = [...this.#loaded.values()]
    const referenceScores = new Map(models.map((model) => [model.modelId, model.referenceScores]))
    const { plan } = this.#state
    return { plan, report, referenceScores, guards: this.#guards, reported: this.reported.byModel }
  }

  #reading(): GuardReading {
    const { trial, residentBytes } = this.#combined()
    const counts = trial?.counts ?? NO_COUNTS
    return { counts, reports: this.reported.tally, residentBytes }
  }

  #guardsOf({ trial }: TrafficPlan): TrialGuards | undefined {
    return trial && new TrialGuards(trial, this.#reading())
  }

  /** Written down before it takes effect. @throws UnavailableError where it cannot be */
  #apply(next: RegistryState): void {
    this.#parts.store.write(next)
    this.#serve(next)
  }

  #tryApply(next: RegistryState): void {
    try {
      this.#apply(next)
    } catch (error) {
      this.#parts.log.error("the model registry cannot be written", publicError(error))
    }
  }

  /** A model that harms must not stay because a disk is full: traffic goes back in any case. */
  #takeBack(reason: string): void {
    const next = rollback(this.#state, { reason, nowMs: this.#parts.nowMs() })
    if (next === undefined) return
    persist(this.#parts, next)
    this.#serve(next)
  }

  #serve(next: RegistryState): void {
    this.classifier.swap(trafficOf(next.plan, this.#loaded))
    this.#state = next
    this.reported.reset()
    this.#guards = this.#guardsOf(next.plan)
    this.#unloadUnused()
    const { live, trial, revision } = next.plan
    this.#parts.log.info("models answer by a new plan", {
      ...{ revision, live },
      ...(trial && { trial: trial.modelId, mode: trial.mode, percent: trial.percent }),
    })
    for (const listener of this.#listeners) listener(next.plan)
  }

  #unloadUnused(): void {
    const { live, standby, trial } = this.classifier.traffic()
    const used = new Set([live, standby, trial?.model, trial?.reference])
    for (const [modelId, model] of this.#loaded) {
      if (!used.has(model)) this.#loaded.delete(modelId)
    }
  }
}

function readState({ store, log }: ModelServerParts): RegistryState | undefined {
  try {
    return store.read()
  } catch (error) {
    log.error("the model registry is not understood; the shipped model serves", publicError(error))
    return undefined
  }
}

function persist({ store, log }: ModelServerParts, state: RegistryState): void {
  try {
    store.write(state)
  } catch (error) {
    log.error("the model registry cannot be written", publicError(error))
  }
}
