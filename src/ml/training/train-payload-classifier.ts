import { join } from "node:path"
import { type EvaluationReport, evaluatePayloads } from "../evaluation/evaluate-payloads.ts"
import type { LabelledPayload } from "../evaluation/labelled-payloads.ts"
import { isClean, readLabelledFile } from "../evaluation/labelled-payloads.ts"
import { GENERATOR_VERSION, generatePayloads } from "../generators/payloads.ts"
import { encodeLinearModel, type LinearModel } from "../models/linear-onnx.ts"
import { fieldwiseClassifier } from "../serving/fieldwise-classifier.ts"
import { checkParity } from "../serving/onnx-parity.ts"
import { PAYLOAD_MODEL_NAME, sha256 } from "../serving/payload-model-files.ts"
import { chooseThresholds } from "./choose-thresholds.ts"
import { nextVersion } from "./claim-version.ts"
import { bareClassifier, draftClassifier } from "./draft-classifier.ts"
import { fitPayloadModel } from "./fit-payload-model.ts"
import { writeModelDirectory } from "./payload-model-directory.ts"

export interface TrainingOptions {
  /**
   * Folder with `train.jsonl.gz` and, to judge by, `validate.jsonl.gz` and
   * `train-unlicensed.jsonl.gz`; without it the generators alone are learnt from.
   */
  readonly dataDir?: string
  /** The folder `models`; the model is written to `payload-linear/<version>` below it. */
  readonly outDir: string
  readonly seed?: number
  /** How many payloads the generators add; default 80,000. */
  readonly generated?: number
  /** `major.minor.patch`; default the highest one in `outDir` with its patch raised, or 1.0.0. */
  readonly version?: string
  /** ISO 8601; default now. It is in metrics.json, not in the model: equal input, equal bytes. */
  readonly trainedAt?: string
  readonly onProgress?: (message: string) => void
}

export interface TrainingResult {
  /** Where the model was written. */
  readonly modelDir: string
  readonly modelId: string
  readonly modelSha256: string
  readonly modelBytes: number
  /** The main figures, on validate where there is one. */
  readonly metrics: Readonly<Record<string, number>>
  /** By the name of the judged set. */
  readonly reports: Readonly<Record<string, EvaluationReport>>
}

const GENERATED_DEFAULT = 80_000
const SEED_DEFAULT = 1
/** Judged files by what the reports call them; none is trained on. */
const JUDGED_FILES = { validate: "validate.jsonl.gz", unlicensed: "train-unlicensed.jsonl.gz" }
const GENERATORS_ALONE = "validate, learnt from the generators alone"

/**
 * Trains, calibrates, checks against ONNX Runtime, judges on unseen sources and registers a
 * payload model. The same data and seed give the same model.onnx, byte for byte.
 *
 * @throws MalformedError for a row of the data that is none; ModelRefusedError without parity
 */
export async function trainPayloadClassifier(options: TrainingOptions): Promise<TrainingResult> {
  const progress = options.onProgress ?? (() => {})
  const seed = options.seed ?? SEED_DEFAULT
  const collected = await readTrainingRows(options.dataDir)
  const generated = [...generatePayloads({ seed, count: options.generated ?? GENERATED_DEFAULT })]
  progress(`${collected.length} collected and ${generated.length} generated payloads`)
  const fitted = fitPayloadModel({ collected, generated, seed }, progress)
  const { weights, calibration, rows } = fitted

  const judged = await readJudgedRows(options.dataDir, collected)
  const draft: LinearModel = {
    weights,
    calibration,
    thresholds: {},
    certainThreshold: 1,
    provenance: {
      seed,
      trainingDataSha256: digestOf(rows),
      trainingSamples: rows.length,
      validationSamples: judged.validate?.length ?? 0,
    },
  }
  const thresholds = chooseThresholds(draft, judged.validate ?? [], fitted.heldOut)
  return register({ ...draft, ...thresholds }, judged, options)
}

type JudgedRows = Readonly<Partial<Record<string, readonly LabelledPayload[]>>>

async function readTrainingRows(dataDir: string | undefined): Promise<readonly LabelledPayload[]> {
  if (dataDir === undefined) return []
  const rows = await readLabelledFile(join(dataDir, "train.jsonl.gz"))
  return rows.filter(isClean)
}

/** The judged sets; rows of sources that training knows are a set of their own. */
async function readJudgedRows(
  dataDir: string | undefined,
  collected: readonly LabelledPayload[],
): Promise<JudgedRows> {
  const known = new Set(collected.map(({ source }) => source))
  const judged: Record<string, readonly LabelledPayload[]> = {}
  for (const [name, file] of Object.entries(JUDGED_FILES)) {
    if (dataDir === undefined) break
    const path = join(dataDir, file)
    if (!(await Bun.file(path).exists())) continue
    const rows = await readLabelledFile(path)
    judged[name] = rows.filter(({ source }) => !known.has(source))
    const familiar = rows.filter(({ source }) => known.has(source))
    if (familiar.length > 0) judged[`${name}, sources also trained on`] = familiar
  }
  return judged
}

/** Generated payloads that training has not seen, to judge by where there is nothing better. */
function freshRows(seed: number): readonly LabelledPayload[] {
  return [...generatePayloads({ seed: seed + 1_000_003, count: 5_000 })]
}

function digestOf(rows: readonly LabelledPayload[]): string {
  const hasher = new Bun.CryptoHasher("sha256").update(`generators ${GENERATOR_VERSION}\n`)
  for (const { text, label, source, kind } of rows) {
    hasher.update(JSON.stringify([text, label, source, kind ?? null]))
  }
  return hasher.digest("hex")
}

async function register(
  model: LinearModel,
  judged: JudgedRows,
  options: TrainingOptions,
): Promise<TrainingResult> {
  const bytes = encodeLinearModel(model)
  const modelSha256 = sha256(bytes)
  const version = options.version ?? (await nextVersion(PAYLOAD_MODEL_NAME, options.outDir))
  const modelId = `${PAYLOAD_MODEL_NAME}/${version}`
  const classifier = bareClassifier(model, modelId)
  const served = fieldwiseClassifier(classifier)
  const sets = judged.validate === undefined ? { generated: freshRows(options.seed ?? 1) } : judged
  const parity = await checkParity(
    bytes,
    classifier,
    Object.values(sets).flatMap((rows) => rows ?? []),
  )
  const reports: Record<string, EvaluationReport> = {}
  for (const [name, rows] of Object.entries(sets)) {
    options.onProgress?.(`judging ${rows?.length ?? 0} payloads of ${name}`)
    reports[name] = await evaluatePayloads(asyncOf(rows ?? []), served)
  }
  if (judged.validate !== undefined) {
    const variant = draftClassifier(generatorsAlone(options))
    reports[GENERATORS_ALONE] = await evaluatePayloads(asyncOf(judged.validate), variant)
  }
  const metrics = mainMetrics(Object.values(reports)[0], parity)
  const directory = join(options.outDir, PAYLOAD_MODEL_NAME, version)
  const trainedAt = options.trainedAt ?? new Date().toISOString()
  await writeModelDirectory(directory, {
    bytes,
    modelSha256,
    modelId,
    model,
    trainedAt,
    metrics,
    reports,
    withCollectedData: options.dataDir !== undefined,
  })
  return {
    modelDir: directory,
    modelId,
    modelSha256,
    modelBytes: bytes.byteLength,
    metrics,
    reports,
  }
}

/** What one gets without the collected data: judged beside the model, and not kept. */
function generatorsAlone(options: TrainingOptions): LinearModel {
  const seed = options.seed ?? SEED_DEFAULT
  const generated = [...generatePayloads({ seed, count: options.generated ?? GENERATED_DEFAULT })]
  options.onProgress?.("learning from the generators alone, to compare")
  const { weights, calibration } = fitPayloadModel({ collected: [], generated, seed }, () => {})
  const provenance = { seed, trainingDataSha256: "", trainingSamples: 0, validationSamples: 0 }
  return { weights, calibration, thresholds: {}, certainThreshold: 1, provenance }
}

async function* asyncOf<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items
}

function mainMetrics(
  report: EvaluationReport | undefined,
  parity: number,
): Readonly<Record<string, number>> {
  if (report === undefined) return { parity_max_difference: parity }
  const { precision, recall, f1, fpr, macroF1, recallAtFpr, ece } = report
  const figures = {
    precision,
    recall,
    f1,
    fpr,
    macro_f1: macroF1,
    recall_at_fpr_0_0002: recallAtFpr["0.0002"],
    recall_at_fpr_0_001: recallAtFpr["0.001"],
    recall_at_fpr_0_005: recallAtFpr["0.005"],
    recall_at_fpr_0_01: recallAtFpr["0.01"],
    ece,
    parity_max_difference: parity,
  }
  const known = Object.entries(figures).filter(([, figure]) => figure !== null)
  return Object.fromEntries(known) as Record<string, number>
}
