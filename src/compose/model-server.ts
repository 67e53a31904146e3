import type {
  ModelChange,
  ModelDetail,
  ModelOperations,
  ModelServerHealth,
  ModelSummary,
  PromoteRequest,
  Tier,
} from "../api/model-operations.ts"
import { MalformedError, ModelNotPromotableError, publicError } from "../errors.ts"
import { type LoadedModel, type ModelCheck, warmMemory } from "../ml/serving/load-served-model.ts"
import {
  type CatalogEntry,
  isDeepModel,
  listDeepModels,
  listPayloadModels,
} from "../ml/serving/model-catalog.ts"
import {
  CANARY_STAGES,
  decisionsBetween,
  endProbation,
  isSameTraffic,
  promote,
  promoteSecondTier,
  rollback,
  takeSecondTierAway,
} from "../ml/serving/registry-state.ts"
import { type TrafficClassifier, trafficClassifier } from "../ml/serving/traffic-classifier.ts"
import type { TrafficReport } from "../ml/serving/traffic-report.ts"
import {
  type GuardName,
  type GuardReading,
  type GuardTrip,
  NO_COUNTS,
  TrialGuards,
} from "../ml/serving/trial-guards.ts"
import { nextStep } from "../ml/serving/trial-steps.ts"
import type {
  ModelDecision,
  ModelRegistryStore,
  RegistryState,
  TrafficPlan,
} from "../model-traffic.ts"
import {
  compareWithLive,
  describe,
  describeFixed,
  type FixedModel,
  findModel,
  percentOf,
  recordOf,
  summarize,
  summarizeFixed,
} from "./model-descriptions.ts"
import { describeTraffic, healthOfModels, type ModelGauges, modelGauges } from "./model-gauges.ts"
import { persist, readState } from "./remembered-state.ts"
import { ReportedAnswers } from "./reported-answers.ts"
import { type LoadedSecondTier, SecondTierHolder } from "./second-tier.ts"
import { loadPlan, type PlanParts, type ServablePlan, trafficOf } from "./served-plan.ts"
import { TrafficReports } from "./traffic-reports.ts"

export interface ModelServerParts extends PlanParts {
  readonly store: ModelRegistryStore
  /** Monotonic milliseconds. */
  readonly monotonicMs: () => number
  /** Runs an action later, never at once; for comparisons. */
  readonly schedule: (action: () => void, delayMs: number) => void
  readonly residentBytes: () => number
  /** Models that are in use and not changed under traffic: they are listed, and that is all. */
  readonly fixed?: readonly FixedModel[]
  /** @throws ModelRefusedError; undefined where this process serves no second tier */
  readonly loadSecondTier?: (entry: CatalogEntry) => Promise<LoadedSecondTier>
  /** Checks models while others answer; default the same as at the start. */
  readonly check?: ModelCheck
  /** Told of each decision, once it holds. */
  readonly onDecided?: (decisions: readonly ModelDecision[]) => void
}

/** How often guards look: a trial that goes wrong is over within a second. */
export const LOOK_EVERY_MS = 250
const NOTHING_TO_TAKE_BACK: Readonly<Record<Tier, string>> = {
  fast: "no model was live before this one",
  deep: "no second tier is live",
}

/**
 * Serves payload models and changes them under traffic: loads, checks and warms a model up, writes the
 * decision down, and then replaces who answers by one assignment between two payloads. What cannot be
 * loaded or written leaves everything as it was.
 */
export class ModelServer implements ModelOperations {
  readonly classifier: TrafficClassifier
  readonly reported: ReportedAnswers
  readonly secondTier: SecondTierHolder
  readonly #parts: ModelServerParts
  readonly #loaded: Map<string, LoadedModel>
  readonly #listeners = new Set<(plan: TrafficPlan) => void>()
  readonly #reports: TrafficReports
  #state: RegistryState
  #guards: TrialGuards | undefined

  /** @throws ModelRefusedError where nothing can be served */
  static async open(parts: ModelServerParts): Promise<ModelServer> {
    const remembered = readState(parts)
    const servable = await loadPlan(remembered, parts)
    if (remembered !== undefined && servable.state !== remembered) {
      persist(parts, servable.state)
      parts.onDecided?.(decisionsBetween(remembered, servable.state))
    }
    const server = new ModelServer(parts, servable)
    await server.#openSecondTier()
    return server
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
    this.secondTier = new SecondTierHolder(
      parts.loadSecondTier && {
        load: parts.loadSecondTier,
        find: (modelId) => findModel(parts.directories, modelId),
        log,
      },
    )
    const { classifier, secondTier } = this
    const { residentBytes } = parts
    this.#reports = new TrafficReports({
      classifier,
      secondTier,
      loaded: this.#loaded,
      residentBytes,
    })
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
    const { directories } = this.#parts
    const catalog = [
      ...(await listPayloadModels(directories)),
      ...(await listDeepModels(directories)),
    ]
    const found = catalog.map((entry) => summarize(entry, this.#state).catch(() => undefined))
    const payloadModels = (await Promise.all(found)).filter((summary) => summary !== undefined)
    return [...payloadModels, ...(this.#parts.fixed ?? []).map(summarizeFixed)]
  }

  async show(modelId: string): Promise<ModelDetail> {
    const fixed = this.#parts.fixed?.find(({ info }) => info.modelId === modelId)
    if (fixed !== undefined) return describeFixed(fixed)
    const entry = await findModel(this.#parts.directories, modelId)
    const traffic = describeTraffic(modelId, this.#gaugeParts(this.#combined()))
    const comparison = (await this.#compareWithLive(entry)) ?? null
    return { ...(await describe(entry, this.#state)), comparison, traffic }
  }

  async promote(request: PromoteRequest): Promise<ModelChange> {
    const { modelId, percent, auto = false, reason = "asked for by an operator" } = request
    if (!(percent >= 0 && percent <= 100)) throw new MalformedError("canary_percent", "0 to 100")
    const entry = await findModel(this.#parts.directories, modelId)
    // asked twice, as after an answer that got lost: it is done
    const isLive = recordOf(this.#state, modelId).state === "live"
    if (isLive && percent === 100) return this.#change(modelId)
    const { obstacles } = await summarize(entry, this.#state)
    if (obstacles.length > 0) throw new ModelNotPromotableError(obstacles)
    const comparison = await this.#compareWithLive(entry)
    if (isDeepModel(modelId)) {
      return { ...(await this.#promoteSecondTier(request)), comparison }
    }
    const before = recordOf(this.#state, modelId).state
    const model = this.#loaded.get(modelId) ?? (await this.#parts.load(entry, this.#parts.check))
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
    return { ...this.#change(modelId), comparison }
  }

  async rollback(reason: string, tier: Tier = "fast"): Promise<ModelChange> {
    const { secondTier = "" } = this.#state.plan
    const takeBack = tier === "deep" ? takeSecondTierAway : rollback
    const next = takeBack(this.#state, { reason, nowMs: this.#parts.nowMs() })
    if (next === undefined) throw new ModelNotPromotableError([NOTHING_TO_TAKE_BACK[tier]])
    this.#apply(next)
    return this.#change(tier === "deep" ? secondTier : next.plan.live)
  }

  health(): ModelServerHealth {
    const { plan } = this.#state
    const report = this.#combined()
    const { cache, skippedComparisons, secondTier } = report
    return { plan, models: healthOfModels(report, plan), cache, skippedComparisons, secondTier }
  }

  /** Takes over the plan of another process, which decides and remembers. An older plan is passed over. */
  async applyTrafficPlan(plan: TrafficPlan): Promise<void> {
    if (plan.revision <= this.#state.plan.revision) return
    const load = async (entry: CatalogEntry) =>
      this.#loaded.get(entry.modelId) ?? (await this.#parts.load(entry, this.#parts.check))
    const { models } = this.#state
    const { state, loaded } = await loadPlan({ plan, models }, { ...this.#parts, load })
    await this.secondTier.tryPrepare(plan.secondTier)
    if (plan.revision <= this.#state.plan.revision) return
    for (const [modelId, model] of loaded) this.#loaded.set(modelId, model)
    // the primary's number, so that what this process could not load is not mistaken for a newer plan
    this.#serve({ ...state, plan: { ...state.plan, revision: plan.revision } })
  }

  /** What this process has counted. */
  report(): TrafficReport {
    return this.#reports.own(this.#state.plan.revision)
  }

  /** Takes in what a worker process has counted; the guards look at the sum. */
  receive(workerId: string, report: TrafficReport): void {
    this.#reports.receive(workerId, report)
  }

  /** The same for a thread of this process. */
  receiveOfThread(thread: number, report: TrafficReport): void {
    this.#reports.receiveOfThread(thread, report)
  }

  /** Looks at the trial once: ends it, lets it go on, or gives it the next share. */
  look(): void {
    const { trial } = this.#state.plan
    if (trial === undefined || this.#guards === undefined) return
    const nowMs = this.#parts.nowMs()
    const step = nextStep(trial, { guards: this.#guards, reading: this.#reading(), nowMs })
    if (step?.kind === "take-back") this.#takeBack(trial.modelId, step.trip)
    else if (step?.kind === "end-probation") this.#tryApply(endProbation(this.#state))
    else if (step !== undefined) {
      const { percent, reason } = step
      this.#tryApply(promote(this.#state, { ...trial, percent, reason, nowMs }))
    }
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

  #compareWithLive(entry: CatalogEntry) {
    return compareWithLive(entry, this.#state.plan, this.#parts.directories)
  }

  #change(modelId: string): ModelChange {
    const percent = percentOf(modelId, this.#state.plan)
    const { state } = recordOf(this.#state, modelId)
    return { modelId, state, percent, at: new Date(this.#parts.nowMs()).toISOString() }
  }

  /** With what the workers have reported. */
  #combined(): TrafficReport {
    return this.#reports.combined(this.#state.plan.revision)
  }

  #gaugeParts(report: TrafficReport) {
    const models = [...this.#loaded.values()]
    const referenceScores = new Map(models.map((model) => [model.modelId, model.referenceScores]))
    const { plan } = this.#state
    const counted = { report, everywhere: this.#combined(), ended: this.#reports.ended }
    return {
      plan,
      ...counted,
      referenceScores,
      guards: this.#guards,
      reported: this.reported.byModel,
    }
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
  #takeBack(model: string, { guard, reason }: GuardTrip): void {
    this.#parts.log.error("a guard ends the trial of a model", { model, guard, reason })
    const next = rollback(this.#state, { reason, nowMs: this.#parts.nowMs() })
    if (next === undefined) return
    persist(this.#parts, next)
    this.#serve(next, guard)
  }

  #serve(next: RegistryState, guard?: GuardName): void {
    const before = this.#state
    const isSame = isSameTraffic(next.plan, before.plan)
    this.#state = next
    this.secondTier.use(next.plan.secondTier, next.plan.secondTierPercent)
    // a change of the second tier is no reason to count a trial of the first anew
    if (!isSame) {
      this.#reports.endTrial(before.plan)
      this.#swapTraffic(next.plan)
    }
    const { live, trial, revision, secondTier } = next.plan
    this.#parts.log.info("models answer by a new plan", {
      ...{ revision, live },
      ...(secondTier && { second_tier: secondTier }),
      ...(trial && { trial: trial.modelId, mode: trial.mode, percent: trial.percent }),
    })
    for (const listener of this.#listeners) listener(next.plan)
    this.#parts.onDecided?.(decisionsBetween(before, next, guard))
  }

  #swapTraffic(plan: TrafficPlan): void {
    this.classifier.swap(trafficOf(plan, this.#loaded))
    this.reported.reset()
    this.#guards = this.#guardsOf(plan)
    this.#unloadUnused()
  }

  /** Where the model that is remembered cannot be served, the fast tier answers alone. */
  async #openSecondTier(): Promise<void> {
    const { secondTier: modelId, secondTierPercent: share } = this.#state.plan
    if (modelId === undefined || this.#parts.loadSecondTier === undefined) return
    if (await this.secondTier.tryPrepare(modelId)) return this.secondTier.use(modelId, share)
    const { revision } = this.#state.plan
    const decision = { reason: "it cannot be served", nowMs: this.#parts.nowMs() }
    const before = this.#state
    const { plan, models } = takeSecondTierAway(before, decision) ?? before
    // the same number: a worker that could not load it must not pass over the next plan
    this.#state = { plan: { ...plan, revision }, models }
    persist(this.#parts, this.#state)
    this.#parts.onDecided?.(decisionsBetween(before, this.#state))
  }

  async #promoteSecondTier(request: PromoteRequest): Promise<ModelChange> {
    const { modelId, percent, auto = false, reason = "asked for by an operator" } = request
    // no guard judges it: somebody must
    if (auto) throw new MalformedError("auto", "false for a deep model")
    await this.secondTier.prepare(modelId)
    const nowMs = this.#parts.nowMs()
    this.#apply(promoteSecondTier(this.#state, { modelId, percent, reason, nowMs }))
    return this.#change(modelId)
  }

  #unloadUnused(): void {
    const { live, standby, trial } = this.classifier.traffic()
    const used = new Set([live, standby, trial?.model, trial?.reference])
    for (const [modelId, model] of this.#loaded) {
      if (!used.has(model)) this.#loaded.delete(modelId)
    }
  }
}
