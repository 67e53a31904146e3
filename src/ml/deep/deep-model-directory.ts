import { mkdir, rename, rm } from "node:fs/promises"
import { dirname, join } from "node:path"
import type { EvaluationReport } from "../evaluation/evaluate-payloads.ts"
import { gates } from "../evaluation/gates.ts"
import { deepModelCard } from "./deep-model-card.ts"
import { PARITY_FILE } from "./deep-parity.ts"
import type { TrainedDeepModel } from "./trained-deep-model.ts"

const DEEP_MODEL_TYPE = "byte-transformer"

/**
 * Writes model.onnx, metrics.json, parity.json and card.md beside the place and renames the whole into it: a
 * reader sees all of a version or none. What was there of that version is replaced.
 */
export async function writeDeepModel(directory: string, trained: TrainedDeepModel): Promise<void> {
  const draft = join(dirname(directory), `.draft-${process.pid}-${trained.modelSha256.slice(0, 8)}`)
  await mkdir(draft, { recursive: true })
  try {
    await Bun.write(join(draft, "model.onnx"), trained.bytes)
    await Bun.write(join(draft, "metrics.json"), metricsOf(trained))
    await Bun.write(join(draft, PARITY_FILE), `${JSON.stringify(trained.parity)}\n`)
    await Bun.write(join(draft, "card.md"), deepModelCard(trained))
    await rm(directory, { recursive: true, force: true })
    await rename(draft, directory)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

function metricsOf(trained: TrainedDeepModel): string {
  const { model, training, reports } = trained
  const metrics = {
    model_id: trained.modelId,
    model_type: DEEP_MODEL_TYPE,
    model_sha256: trained.modelSha256,
    model_bytes: trained.bytes.byteLength,
    trained_at: trained.trainedAt,
    training_cpu_seconds: trained.trainingCpuSeconds,
    training_samples: model.provenance.trainingSamples,
    validation_samples: trained.judgedRows,
    training_data_sha256: model.provenance.trainingDataSha256,
    seed: model.provenance.seed,
    temperature: model.temperature,
    shape: model.shape,
    training,
    judged_on: trained.judgedName,
    metrics: figuresOf(reports.deep),
    gates: reports.deep && gates(reports.deep),
    reports,
  }
  return `${JSON.stringify(metrics, roundFloat, 2)}\n`
}

/** What the registry asks of a model: of the deep tier alone, for it must be worth listening to. */
function figuresOf(report: EvaluationReport | undefined): Readonly<Record<string, number>> {
  const { precision = null, recall = null, f1 = null, fpr = null, macroF1 = null } = report ?? {}
  const figures = { precision, recall, f1, fpr, macro_f1: macroF1 }
  return Object.fromEntries(Object.entries(figures).filter((entry) => entry[1] !== null)) as Record<
    string,
    number
  >
}

/** Six digits are more than any of the figures is good for, save the model's own parameters. */
function roundFloat(key: string, value: unknown): unknown {
  if (typeof value !== "number" || Number.isInteger(value) || key === "temperature") return value
  return Number(value.toPrecision(6))
}
