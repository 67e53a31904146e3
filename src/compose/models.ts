import { readdirSync } from "node:fs"
import { join, resolve } from "node:path"
import type { Config } from "../config.ts"
import { ModelRefusedError, publicError } from "../errors.ts"
import type { Logger } from "../log.ts"
import type { AttributableScorer } from "../ml/models/attributable-scorer.ts"
import { loadAnomalyScorer } from "../ml/models/isolation-forest-scorer.ts"
import { cachedClassifier } from "../ml/serving/cached-classifier.ts"
import { fieldwiseClassifier } from "../ml/serving/fieldwise-classifier.ts"
import { loadPayloadClassifier } from "../ml/serving/load-payload-classifier.ts"
import { heuristicScorer } from "../ml/sessions/heuristic-scorer.ts"
import type { CachedClassifier } from "../ports.ts"

const MODELS = resolve(import.meta.dir, "../../models")

export interface Models {
  readonly classifier: CachedClassifier
  readonly anomaly: AttributableScorer
}

export interface OpenModelsOptions {
  readonly log?: Logger
  readonly onLookup?: (hit: boolean) => void
}

/**
 * Loads the shipped models and checks them against ONNX Runtime.
 *
 * A forest that cannot be trusted is replaced by the heuristic score, aloud, and every verdict says
 * so; without a payload classifier nothing can be judged.
 * @throws ModelRefusedError
 */
export async function openModels(
  config: Pick<Config, "contamination" | "cache">,
  options: OpenModelsOptions = {},
): Promise<Models> {
  const model = await loadPayloadClassifier(newest("payload-linear"))
  const classifier = cachedClassifier(fieldwiseClassifier(model), {
    ...config.cache,
    ...(options.onLookup && { onLookup: options.onLookup }),
  })
  return { classifier, anomaly: await openAnomalyScorer(config, options.log) }
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
