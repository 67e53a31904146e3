import type { ModelDetail, ModelSummary } from "../../api/model-operations.ts"
import { ModelUnknownError } from "../../errors.ts"
import { compareFigures } from "../../ml/serving/compare-figures.ts"
import {
  type CatalogEntry,
  describeModel,
  isDeepModel,
  listDeepModels,
  listPayloadModels,
  type ModelDirectories,
  unmetGates,
} from "../../ml/serving/model-catalog.ts"
import { readModelDocuments } from "../../ml/serving/payload-model-files.ts"
import type {
  FigureComparison,
  ModelRecord,
  RegistryState,
  TrafficPlan,
} from "../../model-traffic.ts"
import type { ModelInfo } from "../../ports.ts"

/** A model that is in use and not changed under traffic: it is listed, and that is all. */
export interface FixedModel {
  readonly info: ModelInfo
  readonly directory: string
}

/** @throws ModelUnknownError */
export async function findModel(
  directories: ModelDirectories,
  modelId: string,
): Promise<CatalogEntry> {
  const list = isDeepModel(modelId) ? listDeepModels : listPayloadModels
  const catalog = await list(directories)
  const entry = catalog.find((each) => each.modelId === modelId)
  if (entry === undefined) throw new ModelUnknownError()
  return entry
}

/** @throws ModelRefusedError where its files cannot be read */
export async function summarize(entry: CatalogEntry, state: RegistryState): Promise<ModelSummary> {
  const { info, gates } = await describeModel(entry)
  const { modelId, origin } = entry
  const isLive = modelId === state.plan.live || recordOf(state, modelId).state === "live"
  const obstacles = isLive ? ["it is live already"] : unmetGates(gates)
  const percent = percentOf(modelId, state.plan)
  return { info, state: recordOf(state, modelId).state, origin, obstacles, percent }
}

/** Share of the sessions that a model answers, 0..100. */
export function percentOf(modelId: string, plan: TrafficPlan): number {
  const { live, trial, secondTier, secondTierPercent = 100 } = plan
  if (modelId === secondTier) return secondTierPercent
  if (modelId === live) return 100 - (trial?.mode === "canary" ? trial.percent : 0)
  return modelId === trial?.modelId ? trial.percent : 0
}

/** @throws ModelRefusedError where its files cannot be read */
export async function describe(
  entry: CatalogEntry,
  state: RegistryState,
): Promise<Omit<ModelDetail, "traffic" | "comparison">> {
  const { card, gates, lineage } = await describeModel(entry)
  const { transitions } = recordOf(state, entry.modelId)
  return { ...(await summarize(entry, state)), card, gates, lineage, transitions }
}

/**
 * Holds what is registered of a model against the live one of its tier.
 * @returns undefined where it is that one, there is none, or its files are gone
 */
export async function compareWithLive(
  entry: CatalogEntry,
  { live, secondTier }: TrafficPlan,
  directories: ModelDirectories,
): Promise<FigureComparison | undefined> {
  const against = isDeepModel(entry.modelId) ? secondTier : live
  if (against === undefined || against === entry.modelId) return undefined
  const ofLive = await findModel(directories, against).catch(() => undefined)
  return ofLive && compareFigures(await describeModel(entry), await describeModel(ofLive))
}

export function summarizeFixed({ info }: FixedModel): ModelSummary {
  const obstacles = ["it is not changed under traffic"]
  return { info, state: "live", percent: 100, origin: "shipped", obstacles }
}

/** @throws ModelRefusedError where its files cannot be read */
export async function describeFixed(fixed: FixedModel): Promise<ModelDetail> {
  const { card, lineage } = await readModelDocuments(fixed.directory)
  const described = { card, lineage, gates: null, transitions: [], traffic: null, comparison: null }
  return { ...summarizeFixed(fixed), ...described }
}

/** What the registry says of a model; of one that nobody decided about, that it is a candidate. */
export function recordOf(state: RegistryState, modelId: string): ModelRecord {
  return state.models[modelId] ?? { state: "candidate", transitions: [] }
}
