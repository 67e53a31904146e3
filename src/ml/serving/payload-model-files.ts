import { join } from "node:path"
import { ModelRefusedError } from "../../errors.ts"
import type { ModelInfo } from "../../ports.ts"
import { featureSchemaSha256 } from "../models/linear-onnx.ts"
import { MODEL_BYTES_MAX } from "../onnx/graph.ts"

export const PAYLOAD_MODEL_NAME = "payload-linear"
/** The second tier: asked where the first is unsure. */
export const DEEP_MODEL_NAME = "payload-deep"
export const MODEL_TYPE = "linear-softmax-hashed-ngrams"
/** Where a registered model comes from. */
export const LINEAGE_FILE = "lineage.json"
const JSON_BYTES_MAX = 4 * 1024 * 1024

/** What stands in a model directory beside the card. */
export interface PayloadModelFiles {
  readonly model: Uint8Array
  readonly info: ModelInfo
}

/**
 * Reads `model.onnx`, `schema.json` and `metrics.json` of one version and checks that they belong
 * together and to this code.
 *
 * @throws ModelRefusedError naming what is missing or does not agree
 */
export async function readModelFiles(directory: string): Promise<PayloadModelFiles> {
  const model = await readBounded(join(directory, "model.onnx"), MODEL_BYTES_MAX)
  const schema = await readObject(join(directory, "schema.json"))
  const metrics = await readObject(join(directory, "metrics.json"))
  const digest = sha256(model)
  if (schema.model_sha256 !== digest) throw new ModelRefusedError("schema.json is of another model")
  if (metrics.model_sha256 !== digest) {
    throw new ModelRefusedError("metrics.json is of another model")
  }
  if (schema.feature_schema_sha256 !== featureSchemaSha256()) {
    throw new ModelRefusedError("made for other features than this code computes")
  }
  return { model, info: infoOf(metrics) }
}

/** What stands beside the model, for people and the registry. */
export interface ModelDocuments {
  readonly info: ModelInfo
  readonly metrics: Readonly<Record<string, unknown>>
  /** lineage.json; empty where there is none. */
  readonly lineage: Readonly<Record<string, unknown>>
  readonly card: string
}

/** Reads the documents of one version without the model. @throws ModelRefusedError */
export async function readModelDocuments(directory: string): Promise<ModelDocuments> {
  const metrics = await readObject(join(directory, "metrics.json"))
  const lineageFile = join(directory, LINEAGE_FILE)
  const lineage = (await Bun.file(lineageFile).exists()) ? await readObject(lineageFile) : {}
  const card = await readBounded(join(directory, "card.md"), JSON_BYTES_MAX)
  return { info: infoOf(metrics), metrics, lineage, card: new TextDecoder().decode(card) }
}

export function sha256(bytes: Uint8Array): string {
  return new Bun.CryptoHasher("sha256").update(bytes).digest("hex")
}

async function readBounded(file: string, bytesMax: number): Promise<Uint8Array> {
  const handle = Bun.file(file)
  if (!(await handle.exists())) throw new ModelRefusedError("a file is missing")
  if (handle.size > bytesMax) throw new ModelRefusedError("a file is too large")
  return handle.bytes()
}

/** A JSON object of one model directory. @throws ModelRefusedError for a file that is none */
export async function readObject(file: string): Promise<Record<string, unknown>> {
  const bytes = await readBounded(file, JSON_BYTES_MAX)
  try {
    return JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>
  } catch (error) {
    throw new ModelRefusedError("a file is not JSON", error)
  }
}

function infoOf(metrics: Record<string, unknown>): ModelInfo {
  const { model_id: modelId, model_type: modelType, trained_at: trainedAt } = metrics
  if (typeof modelId !== "string" || typeof modelType !== "string") {
    throw new ModelRefusedError("metrics.json names no model")
  }
  return {
    modelId,
    modelType,
    trainedAt: typeof trainedAt === "string" ? trainedAt : "",
    trainingSamples: Number(metrics.training_samples) || 0,
    validationSamples: Number(metrics.validation_samples) || 0,
    metrics: numbersOf(metrics.metrics),
  }
}

function numbersOf(value: unknown): Readonly<Record<string, number>> {
  const entries = Object.entries(typeof value === "object" && value !== null ? value : {})
  return Object.fromEntries(entries.filter(([, number]) => typeof number === "number"))
}
