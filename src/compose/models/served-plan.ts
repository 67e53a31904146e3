import { ModelRefusedError, publicError } from "../../errors.ts"
import type { Logger } from "../../log.ts"
import type { LoadedModel, ModelCheck } from "../../ml/serving/load-served-model.ts"
import {
  type CatalogEntry,
  listPayloadModels,
  type ModelDirectories,
} from "../../ml/serving/model-catalog.ts"
import { initialState, withoutModel } from "../../ml/serving/registry-state.ts"
import type { Traffic } from "../../ml/serving/traffic-classifier.ts"
import { TrialComparison } from "../../ml/serving/trial-comparison.ts"
import type { RegistryState, TrafficPlan } from "../../model-traffic.ts"

export interface PlanParts {
  readonly directories: ModelDirectories
  /**
   * @param check who checks the model; default whoever asks, before it answers anybody
   * @throws ModelRefusedError
   */
  readonly load: (entry: CatalogEntry, check?: ModelCheck) => Promise<LoadedModel>
  readonly log: Logger
  /** Epoch milliseconds. */
  readonly nowMs: () => number
}

/** A state whose every model is loaded. */
export interface ServablePlan {
  readonly state: RegistryState
  readonly loaded: ReadonlyMap<string, LoadedModel>
}

/** Ids of the models that a plan needs, the most needed first. */
function modelsOf({ live, lastGood, trial }: TrafficPlan): readonly string[] {
  const ids = [live, trial?.modelId, trial?.referenceId, lastGood]
  return [...new Set(ids.filter((id) => id !== undefined))]
}

/**
 * Loads what a remembered state needs. A model that cannot be served is taken out of it: the one that
 * was live before answers instead, at last the shipped one.
 *
 * @throws ModelRefusedError where nothing at all can be served
 */
export async function loadPlan(
  remembered: RegistryState | undefined,
  parts: PlanParts,
): Promise<ServablePlan> {
  const catalog = await listPayloadModels(parts.directories)
  const shipped = catalog.find(({ origin }) => origin === "shipped")
  if (shipped === undefined) throw new ModelRefusedError("no payload model is shipped")
  const loaded = new Map<string, LoadedModel>()
  let state = remembered ?? initialState(shipped.modelId)
  for (let next = missing(state, loaded); next !== undefined; next = missing(state, loaded)) {
    const modelId = next
    try {
      const entry = catalog.find((each) => each.modelId === modelId)
      if (entry === undefined) throw new ModelRefusedError("its files are gone")
      loaded.set(modelId, await parts.load(entry))
    } catch (error) {
      // nothing stands behind the shipped model
      if (modelId === shipped.modelId) throw error
      const { message } = publicError(error)
      parts.log.error("a model cannot be served", { model: modelId, reason: message })
      const { lastGood, live } = state.plan
      const instead = lastGood !== undefined && live === modelId ? lastGood : shipped.modelId
      state = withoutModel(state, modelId, { live: instead, reason: message, nowMs: parts.nowMs() })
    }
  }
  return { state, loaded }
}

/** Each round either loads a model or takes one out of the plan, so there are few. */
function missing({ plan }: RegistryState, loaded: ReadonlyMap<string, unknown>) {
  return modelsOf(plan).find((modelId) => !loaded.has(modelId))
}

/** @throws ModelRefusedError where a model of the plan is not loaded */
export function trafficOf(plan: TrafficPlan, loaded: ReadonlyMap<string, LoadedModel>): Traffic {
  const need = (modelId: string): LoadedModel => {
    const model = loaded.get(modelId)
    if (model === undefined) throw new ModelRefusedError("it is not loaded")
    return model
  }
  const { live, lastGood, trial } = plan
  const shadow = trial?.mode === "shadow" ? need(trial.modelId).meter : undefined
  return {
    live: need(live),
    standby: lastGood === undefined ? undefined : need(lastGood),
    trial: trial && {
      model: need(trial.modelId),
      reference: need(trial.referenceId),
      percent: trial.percent,
      comparison: new TrialComparison(shadow),
    },
  }
}
