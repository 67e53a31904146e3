import type {
  ModelChange,
  ModelDetail,
  ModelOperations,
  ModelServerHealth,
  ModelSummary,
  PromoteRequest,
  Tier,
} from "../../api/model-operations.ts"
import { MalformedError, ModelNotPromotableError, publicError } from "../../errors.ts"
import {
  type CatalogEntry,
  isDeepModel,
  listDeepModels,
  listPayloadModels,
} from "../../ml/serving/model-catalog.ts"
import {
  CANARY_STAGES,
  endProbation,
  promote,
  promoteSecondTier,
  rollback,
  takeSecondTierAway,
} from "../../ml/serving/registry-state.ts"
import type { TrafficClassifier } from "../../ml/serving/traffic-classifier.ts"
import type { TrafficReport } from "../../ml/serving/traffic-report.ts"
import type { GuardTrip } from "../../ml/serving/trial-guards.ts"
import { nextStep } from "../../ml/serving/trial-steps.ts"
import type { RegistryState, TrafficPlan } from "../../model-traffic.ts"
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
import type { ReportedAnswers } from "./reported-answers.ts"
import type { SecondTierHolder } from "./second-tier.ts"
import { TrafficSwitch, type TrafficSwitchParts } from "./traffic-switch.ts"

export interface ModelServerParts extends TrafficSwitchParts {
  /** Models that are in use and not changed under traffic: they are listed, and that is all. */
  readonly fixed?: readonly FixedModel[]
}

/** How often guards look: a trial that goes wrong is over within a second. */
export const LOOK_EVERY_MS = 250
const NOTHING_TO_TAKE_BACK: Readonly<Record<Tier, string>> = {
  fast: "no model was live before this one",
  deep: "no second tier is live",
}

/** Decides which payload models answer, as people ask and as guards see; the switch makes it so. */
export class ModelServer implements ModelOperations {
  readonly classifier: TrafficClassifier
  readonly reported: ReportedAnswers
  readonly secondTier: SecondTierHolder
  readonly #parts: ModelServerParts
  readonly #traffic: TrafficSwitch

  /** @throws ModelRefusedError where nothing can be served */
  static async open(parts: ModelServerParts): Promise<ModelServer> {
    return new ModelServer(parts, await TrafficSwitch.open(parts))
  }

  private constructor(parts: ModelServerParts, traffic: TrafficSwitch) {
    this.#parts = parts
    this.#traffic = traffic
    this.classifier = traffic.classifier
    this.reported = traffic.reported
    this.secondTier = traffic.secondTier
  }

  /** Which model answers what. */
  snapshot(): TrafficPlan {
    return this.#state.plan
  }

  /** @returns what ends the subscription */
  subscribe(listener: (plan: TrafficPlan) => void): () => void {
    return this.#traffic.subscribe(listener)
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
    const { modelId, percent } = request
    if (!(percent >= 0 && percent <= 100)) throw new MalformedError("canary_percent", "0 to 100")
    const entry = await findModel(this.#parts.directories, modelId)
    // asked twice, as after an answer that got lost: it is done
    const isLive = recordOf(this.#state, modelId).state === "live"
    if (isLive && percent === 100) return this.#change(modelId)
    const { obstacles } = await summarize(entry, this.#state)
    if (obstacles.length > 0) throw new ModelNotPromotableError(obstacles)
    const comparison = await this.#compareWithLive(entry)
    if (isDeepModel(modelId)) await this.#promoteSecondTier(request)
    else await this.#promoteFirstTier(request, entry)
    return { ...this.#change(modelId), comparison }
  }

  async rollback(reason: string, tier: Tier = "fast"): Promise<ModelChange> {
    const { secondTier = "" } = this.#state.plan
    const takeBack = tier === "deep" ? takeSecondTierAway : rollback
    const next = takeBack(this.#state, { reason, nowMs: this.#parts.nowMs() })
    if (next === undefined) throw new ModelNotPromotableError([NOTHING_TO_TAKE_BACK[tier]])
    this.#traffic.apply(next)
    return this.#change(tier === "deep" ? secondTier : next.plan.live)
  }

  health(): ModelServerHealth {
    const { plan } = this.#state
    const report = this.#combined()
    const { cache, skippedComparisons, secondTier } = report
    return { plan, models: healthOfModels(report, plan), cache, skippedComparisons, secondTier }
  }

  /** Takes over the plan of another process, which decides and remembers. An older plan is passed over. */
  applyTrafficPlan(plan: TrafficPlan): Promise<void> {
    return this.#traffic.follow(plan)
  }

  /** What this process has counted. */
  report(): TrafficReport {
    return this.#traffic.reports.own(this.#state.plan.revision)
  }

  /** Takes in what a worker process has counted; the guards look at the sum. */
  receive(workerId: string, report: TrafficReport): void {
    this.#traffic.reports.receive(workerId, report)
  }

  /** The same for a thread of this process. */
  receiveOfThread(thread: number, report: TrafficReport): void {
    this.#traffic.reports.receiveOfThread(thread, report)
  }

  /** Looks at the trial once: ends it, lets it go on, or gives it the next share. */
  look(): void {
    const { trial } = this.#state.plan
    const { guards } = this.#traffic
    if (trial === undefined || guards === undefined) return
    const nowMs = this.#parts.nowMs()
    const step = nextStep(trial, { guards, reading: this.#traffic.reading(), nowMs })
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

  get #state(): RegistryState {
    return this.#traffic.state
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
    return this.#traffic.reports.combined(this.#state.plan.revision)
  }

  #gaugeParts(report: TrafficReport) {
    const { loaded, guards, reports, reported } = this.#traffic
    const models = [...loaded.values()]
    const referenceScores = new Map(models.map((model) => [model.modelId, model.referenceScores]))
    const { plan } = this.#state
    const counted = { report, everywhere: this.#combined(), ended: reports.ended }
    return { plan, ...counted, referenceScores, guards, reported: reported.byModel }
  }

  async #promoteFirstTier(request: PromoteRequest, entry: CatalogEntry): Promise<void> {
    const { modelId, percent, auto = false, reason = "asked for by an operator" } = request
    const before = recordOf(this.#state, modelId).state
    const model = await this.#traffic.load(entry)
    // a guard, or somebody else, may have decided about it while it was loaded
    if (recordOf(this.#state, modelId).state !== before) {
      throw new ModelNotPromotableError(["its state has just been changed: look at it again"])
    }
    const share = auto ? Math.min(percent, CANARY_STAGES[0]) : percent
    const nowMs = this.#parts.nowMs()
    const next = promote(this.#state, { modelId, percent: share, auto, reason, nowMs })
    this.#traffic.apply(next, model)
  }

  async #promoteSecondTier(request: PromoteRequest): Promise<void> {
    const { modelId, percent, auto = false, reason = "asked for by an operator" } = request
    // no guard judges it: somebody must
    if (auto) throw new MalformedError("auto", "false for a deep model")
    await this.secondTier.prepare(modelId)
    const nowMs = this.#parts.nowMs()
    this.#traffic.apply(promoteSecondTier(this.#state, { modelId, percent, reason, nowMs }))
  }

  #tryApply(next: RegistryState): void {
    try {
      this.#traffic.apply(next)
    } catch (error) {
      this.#parts.log.error("the model registry cannot be written", publicError(error))
    }
  }

  /** A model that harms must not stay because a disk is full: traffic goes back in any case. */
  #takeBack(model: string, { guard, reason }: GuardTrip): void {
    this.#parts.log.error("a guard ends the trial of a model", { model, guard, reason })
    const next = rollback(this.#state, { reason, nowMs: this.#parts.nowMs() })
    if (next !== undefined) this.#traffic.force(next, guard)
  }
}
