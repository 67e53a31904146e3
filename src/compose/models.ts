import { existsSync, readdirSync } from "node:fs"
import { join, resolve } from "node:path"
import { systemClock } from "../clock.ts"
import type { Config } from "../config.ts"
import { ModelRefusedError, publicError } from "../errors.ts"
import { createLogger, type Logger } from "../log.ts"
import type { AttributableScorer } from "../ml/models/attributable-scorer.ts"
import { loadAnomalyScorer } from "../ml/models/isolation-forest-scorer.ts"
import { predictionMemory } from "../ml/serving/cached-classifier.ts"
import { loadServedModel } from "../ml/serving/load-served-model.ts"
import { listPayloadModels } from "../ml/serving/model-catalog.ts"
import { heuristicScorer } from "../ml/sessions/heuristic-scorer.ts"
import type { ModelRegistryStore, RegistryState } from "../model-traffic.ts"
import type { CachedClassifier } from "../ports.ts"
import { dataDirectoryPaths } from "../store/data-directory.ts"
import { modelRegistryFile } from "../store/model-registry.ts"
import { checkInThread } from "./models/model-check.ts"
import type { FixedModel } from "./models/model-descriptions.ts"
import { ModelServer, type ModelServerParts } from "./models/model-server.ts"
import { loadSecondTier, type SecondTierOptions } from "./models/second-tier.ts"
import { loadPlan, type PlanParts } from "./models/served-plan.ts"

const MODELS = resolve(import.meta.dir, "../../models")

export interface Models {
  readonly classifier: CachedClassifier
  readonly anomaly: AttributableScorer
}

export interface OpenModelsOptions {
  readonly log?: Logger
  readonly onLookup?: (hit: boolean) => void
  readonly secondTier?: Pick<SecondTierOptions, "onOutcome" | "onJudged">
}

type ModelConfig = Pick<Config, "contamination" | "cache" | "dataDir" | "predictDeadlineMs">

/**
 * Loads the models that judge: the live payload model of the data directory, or the shipped one where
 * nothing was promoted there, and the forest. Each is checked against ONNX Runtime.
 *
 * A forest that cannot be trusted is replaced by the heuristic score, aloud, and every verdict says
 * so; without a payload classifier nothing can be judged.
 * @throws ModelRefusedError
 */
export async function openModels(
  config: ModelConfig,
  options: OpenModelsOptions = {},
): Promise<Models> {
  const parts = planParts(config, options)
  const { state, loaded } = await loadPlan(liveAlone(registryOf(config).read()), parts)
  const live = loaded.get(state.plan.live)
  if (live === undefined) throw new ModelRefusedError("no payload model is shipped")
  return { classifier: live.classifier, anomaly: await openAnomalyScorer(config, options.log) }
}

export interface ServedModels extends Models {
  readonly server: ModelServer
}

/** The same for a process that changes them under traffic. */
export async function openServedModels(
  config: ModelConfig,
  options: OpenModelsOptions & Pick<ModelServerParts, "onDecided"> = {},
): Promise<ServedModels> {
  const anomaly = await openAnomalyScorer(config, options.log)
  const server = await ModelServer.open({
    ...servingParts(config, options),
    store: registryOf(config),
    fixed: fixedModels(anomaly),
    ...(options.onDecided && { onDecided: options.onDecided }),
  })
  return { server, classifier: server.classifier, anomaly }
}

/** The heuristic, which may stand in for the forest, is no model. */
function fixedModels({ info }: AttributableScorer): readonly FixedModel[] {
  const directory = join(MODELS, info.modelId)
  return existsSync(directory) ? [{ info, directory }] : []
}

/** The payload models alone, for a worker: whoever owns the data directory decides and remembers. */
export async function openWorkerModels(
  config: ModelConfig,
  options: OpenModelsOptions,
): Promise<ModelServer> {
  return await ModelServer.open({
    ...servingParts(config, options),
    store: { ...registryOf(config), write: () => undefined },
  })
}

type ThreadModelsOptions = Pick<ModelServerParts, "schedule"> &
  Required<Pick<OpenModelsOptions, "onLookup">>

/**
 * The models for a thread of the process that owns the data directory: that one decides, remembers and
 * tells which plan it is.
 * @param schedule runs an action once the thread has answered
 */
export async function openThreadModels(
  config: ModelConfig,
  { schedule, onLookup }: ThreadModelsOptions,
): Promise<ServedModels> {
  const { loadSecondTier: _, check: __, ...parts } = servingParts(config, { onLookup })
  const store = { ...registryOf(config), write: () => undefined }
  const server = await ModelServer.open({ ...parts, store, schedule })
  return {
    server,
    classifier: server.classifier,
    anomaly: await openAnomalyScorer(config, undefined),
  }
}

/** The payload model that the data directory's server would answer by. @throws ModelRefusedError */
export async function liveModelId(config: Pick<Config, "dataDir">): Promise<string> {
  const remembered = registryOf(config).read()?.plan.live
  const catalog = await listPayloadModels(modelDirectories(config))
  const live = catalog.find(({ modelId }) => modelId === remembered)
  const shipped = live ?? catalog.find(({ origin }) => origin === "shipped")
  if (shipped === undefined) throw new ModelRefusedError("no payload model is shipped")
  return shipped.modelId
}

export function modelDirectories({ dataDir }: Pick<Config, "dataDir">) {
  return { shipped: MODELS, registered: dataDirectoryPaths(dataDir).models }
}

/** What a process needs that answers requests, whether or not it decides who answers. */
function servingParts(
  config: ModelConfig,
  options: OpenModelsOptions,
): Omit<ModelServerParts, "store"> {
  const memory = predictionMemory(config.cache)
  const nowMs = () => performance.now()
  const secondTier = { ...options.secondTier, memory, nowMs, deadlineMs: config.predictDeadlineMs }
  return {
    ...planParts(config, options, memory),
    check: checkInThread,
    loadSecondTier: (entry) => loadSecondTier(entry, secondTier),
    monotonicMs: nowMs,
    schedule: (action: () => void, delayMs: number) => void setTimeout(action, delayMs),
    residentBytes: () => process.memoryUsage.rss(),
  }
}

function planParts(
  config: ModelConfig,
  { log, onLookup }: OpenModelsOptions,
  memory = predictionMemory(config.cache),
): PlanParts {
  const cache = { ...config.cache, memory, ...(onLookup && { onLookup }) }
  return {
    directories: modelDirectories(config),
    load: (entry, check) =>
      loadServedModel(entry, { cache, nowMs: () => performance.now(), ...(check && { check }) }),
    log: log ?? createLogger({ write: () => undefined, nowMs: systemClock.nowMs }),
    nowMs: systemClock.nowMs,
  }
}

function registryOf({ dataDir }: Pick<Config, "dataDir">): ModelRegistryStore {
  return modelRegistryFile(join(dataDirectoryPaths(dataDir).models, "registry.json"))
}

/** Whoever answers nobody needs neither a trial nor a way back, nor a deadline. */
function liveAlone(state: RegistryState | undefined): RegistryState | undefined {
  return (
    state && {
      ...state,
      plan: { ...state.plan, lastGood: undefined, trial: undefined, secondTier: undefined },
    }
  )
}

async function openAnomalyScorer(
  { contamination }: Pick<Config, "contamination">,
  log: Logger | undefined,
): Promise<AttributableScorer> {
  try {
    return await loadAnomalyScorer(newest("session-forest"), { contamination })
  } catch (error) {
    const { code } = publicError(error)
    log?.error("the session forest was refused; behaviour is scored by the heuristic", { code })
    return heuristicScorer()
  }
}

/** The directory of the highest version. @throws ModelRefusedError when there is none */
export function newest(name: string): string {
  const versions = versionsOf(join(MODELS, name))
  const [highest] = versions.sort((one, other) => other.localeCompare(one, "en", { numeric: true }))
  if (highest === undefined) throw new ModelRefusedError(`there is no model ${name}`)
  return join(MODELS, name, highest)
}

function versionsOf(directory: string): string[] {
  try {
    return readdirSync(directory).filter((version) => /^\d+\.\d+\.\d+$/.test(version))
  } catch {
    return []
  }
}
