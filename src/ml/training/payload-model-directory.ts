import { randomUUID } from "node:crypto"
import { mkdir, rename, rm } from "node:fs/promises"
import { dirname, join } from "node:path"
import { PAYLOAD_CLASSES } from "../../events.ts"
import { type GateReport, gates } from "../evaluation/gates.ts"
import { featureSchemaSha256, type LinearModel } from "../models/linear-onnx.ts"
import { MODEL_TYPE } from "../serving/payload-model-files.ts"
import { FEATURE_SCHEMA } from "../text/payload-features.ts"
import { payloadModelCard } from "./payload-model-card.ts"
import type { TrainedModel } from "./trained-model.ts"

/**
 * Writes model.onnx, schema.json, metrics.json and card.md beside the place and renames the whole
 * into it: a reader sees all of a version or none. An older version of that name is replaced.
 */
export async function writeModelDirectory(directory: string, trained: TrainedModel): Promise<void> {
  const draft = join(dirname(directory), `.draft-${randomUUID()}`)
  await mkdir(draft, { recursive: true })
  try {
    await Bun.write(join(draft, "model.onnx"), trained.bytes)
    await Bun.write(join(draft, "schema.json"), schemaOf(trained))
    await Bun.write(join(draft, "metrics.json"), metricsOf(trained))
    await Bun.write(join(draft, "card.md"), payloadModelCard(trained))
    await rm(directory, { recursive: true, force: true })
    await rename(draft, directory)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

function schemaOf(trained: TrainedModel): string {
  return pretty({
    model_sha256: trained.modelSha256,
    feature_schema_sha256: featureSchemaSha256(),
    classes: PAYLOAD_CLASSES,
    features: FEATURE_SCHEMA,
  })
}

function metricsOf(trained: TrainedModel): string {
  const { model, reports } = trained
  return pretty({
    model_id: trained.modelId,
    model_type: MODEL_TYPE,
    model_sha256: trained.modelSha256,
    model_bytes: trained.bytes.byteLength,
    trained_at: trained.trainedAt,
    training_samples: model.provenance.trainingSamples,
    validation_samples: model.provenance.validationSamples,
    training_data_sha256: model.provenance.trainingDataSha256,
    seed: model.provenance.seed,
    calibration: calibrationOf(model),
    thresholds: model.thresholds,
    certain_threshold: model.certainThreshold,
    metrics: trained.metrics,
    ...gatesOf(reports),
    reports,
  })
}

/** By the first set judged, which the main figures are of too. */
function gatesOf(reports: TrainedModel["reports"]): { gates?: GateReport } {
  const [report] = Object.values(reports)
  return report === undefined ? {} : { gates: gates(report) }
}

function calibrationOf({ calibration }: LinearModel) {
  const { windowPenalty, offset, slope, knots, changes } = calibration
  return { window_penalty: windowPenalty, offset, slope, knots: [...knots], changes: [...changes] }
}

function pretty(value: unknown): string {
  return `${JSON.stringify(value, roundFloat, 2)}\n`
}

/** Six digits are more than any of the figures is good for, save the model's own parameters. */
function roundFloat(key: string, value: unknown): unknown {
  if (typeof value !== "number" || Number.isInteger(value)) return value
  if (key === "certain_threshold" || key.startsWith("0.")) return value
  return Number(value.toPrecision(6))
}
