import {
  type LoadedModel,
  type ModelCheck,
  warmMemory,
} from "../../ml/serving/load-served-model.ts"
import type { CatalogEntry } from "../../ml/serving/model-catalog.ts"
import {
  decisionsBetween,
  isSameTraffic,
  takeSecondTierAway,
} from "../../ml/serving/registry-state.ts"
import { type TrafficClassifier, trafficClassifier } from "../../ml/serving/traffic-classifier.ts"
import {
  type GuardName,
  type GuardReading,
  NO_COUNTS,
  TrialGuards,
} from "../../ml/serving/trial-guards.ts"
import type {
  ModelDecision,
  ModelRegistryStore,
  RegistryState,
  TrafficPlan,
} from "../../model-traffic.ts"
import { findModel } from "./model-descriptions.ts"
import { persist, readState } from "./remembered-state.ts"
import { ReportedAnswers } from "./reported-answers.ts"
import { type LoadedSecondTier, SecondTierHolder } from "./second-tier.ts"
import { loadPlan, type PlanParts, type ServablePlan, trafficOf } from "./served-plan.ts"
import { TrafficReports } from "./traffic-reports.ts"

export interface TrafficSwitchParts extends PlanParts {
  readonly store: ModelRegistryStore
  /** Monotonic milliseconds. */
  readonly monotonicMs: () => number
  /** Runs an action later, never at once; for comparisons. */
  readonly schedule: (action: () => void, delayMs: number) => void
  readonly residentBytes: () => number
  /** @throws ModelRefusedError; undefined where this process serves no second tier */
  readonly loadSecondTier?: (entry: CatalogEntry) => Promise<LoadedSecondTier>
  /** Checks models while others answer; default the same as at the start. */
  readonly check?: ModelCheck
  /** Told of each decision, once it holds. */
  readonly onDecided?: (decisions: readonly ModelDecision[]) => void
}

/**
 * Holds which models answer, and replaces them under traffic: a new state is written down, and then
 * takes effect by one assignment between two payloads. What cannot be loaded or written leaves
 * everything as it was.
 */
export class TrafficSwitch {
  readonly classifier: TrafficClassifier
  readonly reported: ReportedAnswers
  readonly reports: TrafficReports
  readonly secondTier: SecondTierHolder
  readonly #parts: TrafficSwitchParts
  readonly #loaded: Map<string, LoadedModel>
  readonly #listeners = new Set<(plan: TrafficPlan) => void>()
  #state: RegistryState
  #guards: TrialGuards | undefined

  /** @throws ModelRefusedError where nothing can be served */
  static async open(parts: TrafficSwitchParts): Promise<TrafficSwitch> {
    const remembered = readState(parts)
    const servable = await loadPlan(remembered, parts)
    if (remembered !== undefined && servable.state !== remembered) {
      persist(parts, servable.state)
      parts.onDecided?.(decisionsBetween(remembered, servable.state))
    }
    const opened = new TrafficSwitch(parts, servable)
    await opened.#openSecondTier()
    return opened
  }

  private constructor(parts: TrafficSwitchParts, { state, loaded }: ServablePlan) {
    this.#parts = parts
    this.#state = state
    this.#loaded = new Map(loaded)
    const { log, monotonicMs: nowMs, schedule, residentBytes, loadSecondTier: load } = parts
    const classifier = trafficClassifier({
      traffic: trafficOf(state.plan, this.#loaded),
      nowMs,
      schedule,
      onFailure: (model, error) => {
        const reason = error instanceof Error ? error.name : typeof error
        log.error("a payload model failed", { model, reason })
      },
    })
    const find = (modelId: string) => findModel(parts.directories, modelId)
    const secondTier = new SecondTierHolder(load && { load, find, log })
    this.classifier = classifier
    this.secondTier = secondTier
    this.reported = new ReportedAnswers(classifier)
    this.reports = new TrafficReports({
      ...{ classifier, secondTier, loaded: this.#loaded, residentBytes },
    })
    this.#guards = this.#guardsOf(state.plan)
  }

  get state(): RegistryState {
    return this.#state
  }

  /** undefined where no model is on trial. */
  get guards(): TrialGuards | undefined {
    return this.#guards
  }

  get loaded(): ReadonlyMap<string, LoadedModel> {
    return this.#loaded
  }

  /** @returns what ends the subscription */
  subscribe(listener: (plan: TrafficPlan) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** What the guards look at: this process and its workers together. */
  reading(): GuardReading {
    const { trial, residentBytes } = this.reports.combined(this.#state.plan.revision)
    const counts = trial?.counts ?? NO_COUNTS
    return { counts, reports: this.reported.tally, residentBytes }
  }

  /** Loads, checks and warms up a model that is to answer next. @throws ModelRefusedError */
  async load(entry: CatalogEntry): Promise<LoadedModel> {
    const model = await this.#loadedOr(entry)
    const live = this.#loaded.get(this.#state.plan.live)
    if (live !== undefined) await warmMemory(model, live)
    return model
  }

  /**
   * Writes a decision down, and then it holds.
   * @param model that the new state needs and this process has not loaded before
   * @throws UnavailableError where it cannot be written
   */
  apply(next: RegistryState, model?: LoadedModel): void {
    this.#parts.store.write(next)
    if (model !== undefined) this.#loaded.set(model.modelId, model)
    this.#serve(next)
  }

  /** The same, where it holds whether or not it can be written: a full disk must not keep harm going. */
  force(next: RegistryState, guard: GuardName): void {
    persist(this.#parts, next)
    this.#serve(next, guard)
  }

  /** Takes over the plan of another process, which decides and remembers. An older plan is passed over. */
  async follow(plan: TrafficPlan): Promise<void> {
    if (plan.revision <= this.#state.plan.revision) return
    const load = (entry: CatalogEntry) => this.#loadedOr(entry)
    const { models } = this.#state
    const { state, loaded } = await loadPlan({ plan, models }, { ...this.#parts, load })
    await this.secondTier.tryPrepare(plan.secondTier)
    if (plan.revision <= this.#state.plan.revision) return
    for (const [modelId, model] of loaded) this.#loaded.set(modelId, model)
    // the primary's number, so that what this process could not load is not mistaken for a newer plan
    this.#serve({ ...state, plan: { ...state.plan, revision: plan.revision } })
  }

  async #loadedOr(entry: CatalogEntry): Promise<LoadedModel> {
    return this.#loaded.get(entry.modelId) ?? (await this.#parts.load(entry, this.#parts.check))
  }

  #guardsOf({ trial }: TrafficPlan): TrialGuards | undefined {
    return trial && new TrialGuards(trial, this.reading())
  }

  #serve(next: RegistryState, guard?: GuardName): void {
    const before = this.#state
    const isSame = isSameTraffic(next.plan, before.plan)
    this.#state = next
    this.secondTier.use(next.plan.secondTier, next.plan.secondTierPercent)
    // a change of the second tier is no reason to count a trial of the first anew
    if (!isSame) {
      this.reports.endTrial(before.plan)
      this.#swap(next.plan)
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

  #swap(plan: TrafficPlan): void {
    this.classifier.swap(trafficOf(plan, this.#loaded))
    this.reported.reset()
    this.#guards = this.#guardsOf(plan)
    this.#unloadUnused()
  }

  #unloadUnused(): void {
    const { live, standby, trial } = this.classifier.traffic()
    const used = new Set([live, standby, trial?.model, trial?.reference])
    for (const [modelId, model] of this.#loaded) {
      if (!used.has(model)) this.#loaded.delete(modelId)
    }
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
}
