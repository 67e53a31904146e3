import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { ModelRefusedError, SentinelError } from "../../errors.ts"
import type { AnomalyScore } from "../../events.ts"
import type { ModelInfo } from "../../ports.ts"
import { decodeOnnx } from "../onnx/decode.ts"
import type { OnnxGraph } from "../onnx/graph.ts"
import { openOnnxSession } from "../onnx/session.ts"
import { featureSchemaHash, featurize } from "../sessions/featurize.ts"
import { generateSessions } from "../sessions/generate-sessions.ts"
import type { AttributableScorer } from "./attributable-scorer.ts"
import { toVector } from "./attributable-scorer.ts"
import type { IsolationForest } from "./isolation-forest.ts"
import { isolationScore, meanPathLength } from "./isolation-forest.ts"
import { calibrate, parseQuantiles } from "./isolation-forest-calibration.ts"
import { forestFromOnnx } from "./isolation-forest-onnx.ts"
import { ForestShapley } from "./isolation-forest-shapley.ts"

/** Largest difference between the plain evaluator and ONNX Runtime that is accepted. */
export const PARITY_MAX = 1e-6

const PARITY_SESSIONS = 64
const PARITY_SEED = 20_260_105

/**
 * Loads `model.onnx` and `metrics.json` of one version of the session forest.
 *
 * The file's own evaluator answers on the hot path; at load it is compared with ONNX Runtime on
 * generated sessions.
 *
 * @param directory e.g. models/session-forest/1.0.0
 * @param options.contamination share (0..0.5) of ordinary sessions whose score is 0.5 or more
 * @throws ModelRefusedError when the files are missing or broken, were made for another feature
 *   table, or the two evaluators differ by more than 1e-6
 */
export async function loadAnomalyScorer(
  directory: string,
  options: { contamination: number },
): Promise<AttributableScorer> {
  try {
    const bytes = await readFile(join(directory, "model.onnx"))
    const graph = decodeOnnx(bytes)
    refuseOtherSchema(graph)
    const forest = forestFromOnnx(graph)
    const featureNames = parseNames(graph.metadata.feature_names, forest.featureCount)
    const parity = await parityWithRuntime(forest, featureNames, bytes)
    if (!(parity <= PARITY_MAX)) {
      throw new ModelRefusedError(`it differs from ONNX Runtime by ${parity}`)
    }
    const link = calibrate(parseQuantiles(graph.metadata.calibration), options.contamination)
    const info = await readInfo(directory)
    return forestScorer({ forest, featureNames, link, info })
  } catch (error) {
    if (error instanceof SentinelError) throw error
    throw new ModelRefusedError("its files cannot be read", error)
  }
}

interface ForestParts {
  readonly forest: IsolationForest
  readonly featureNames: readonly string[]
  /** From the raw score to the calibrated one. */
  readonly link: (raw: number) => number
  readonly info: ModelInfo
}

function forestScorer({ forest, featureNames, link, info }: ForestParts): AttributableScorer {
  const toScore = (pathLength: number): number => link(isolationScore(forest, pathLength))
  return {
    info,
    featureNames,
    score: (features): AnomalyScore => ({
      score: toScore(meanPathLength(forest, toVector(features, featureNames))),
      method: "forest",
      model: info.modelId,
    }),
    vector: (features) => toVector(features, featureNames),
    latent: (vector) => meanPathLength(forest, vector),
    link: toScore,
    attributor(references) {
      const shapley = new ForestShapley(forest, references)
      return (vector, weights, values) => shapley.attribute(vector, weights, values)
    },
  }
}

/** Largest difference of the raw score between the two evaluators on generated sessions. */
export async function parityWithRuntime(
  forest: IsolationForest,
  featureNames: readonly string[],
  model: Uint8Array,
): Promise<number> {
  const mix = { benign: 2, attack: 1, anomalous: 1 }
  const generated = generateSessions({ seed: PARITY_SEED, count: PARITY_SESSIONS, mix })
  const vectors = [...generated].map(({ session }) => toVector(featurize(session), featureNames))
  const data = new Float32Array(vectors.length * featureNames.length)
  for (const [i, vector] of vectors.entries()) data.set(vector, i * featureNames.length)
  const runtime = await openOnnxSession(model)
  const dims = [vectors.length, featureNames.length]
  const { score } = await runtime.run({ features: { type: "float32", dims, data } })
  await runtime.release()
  const differences = vectors.map((vector, i) => {
    const plain = isolationScore(forest, meanPathLength(forest, vector))
    return Math.abs(plain - Number(score?.data[i]))
  })
  // A NaN wins, and is refused.
  return Math.max(...differences)
}

function refuseOtherSchema(graph: OnnxGraph): void {
  if (graph.metadata.schema_hash === featureSchemaHash()) return
  throw new ModelRefusedError("it was made for another feature table")
}

function parseNames(text: string | undefined, count: number): readonly string[] {
  const names: unknown = JSON.parse(text ?? "null")
  const fits = Array.isArray(names) && names.length === count
  if (!fits || !names.every((name) => typeof name === "string")) {
    throw new ModelRefusedError("its feature names do not fit its input")
  }
  return names
}

async function readInfo(directory: string): Promise<ModelInfo> {
  const text = await readFile(join(directory, "metrics.json"), "utf8")
  const info = JSON.parse(text) as Partial<ModelInfo>
  const { modelId, modelType, trainedAt, trainingSamples, validationSamples, metrics } = info
  if (modelId === undefined || metrics === undefined) {
    throw new ModelRefusedError("its metrics.json is incomplete")
  }
  return {
    modelId,
    modelType: modelType ?? "isolation_forest",
    trainedAt: trainedAt ?? "",
    trainingSamples: trainingSamples ?? 0,
    validationSamples: validationSamples ?? 0,
    metrics,
  }
}
