import { join } from "node:path"
import { type EvaluationReport, evaluatePayloads, judge } from "../evaluation/evaluate-payloads.ts"
import type { LabelledPayload } from "../evaluation/labelled-payloads.ts"
import { isClean, readLabelledFile } from "../evaluation/labelled-payloads.ts"
import { thresholdAt } from "../evaluation/payload-report.ts"
import { GENERATOR_VERSION, generatePayloads } from "../generators/payloads.ts"
import { encodeLinearModel, type LinearModel, roundToHalf } from "../models/linear-onnx.ts"
import type { LinearWeights } from "../models/linear-softmax.ts"
import { LinearPayloadClassifier } from "../serving/linear-payload-classifier.ts"
import { checkParity } from "../serving/onnx-parity.ts"
import { MODEL_TYPE, PAYLOAD_MODEL_NAME, sha256 } from "../serving/payload-model-files.ts"
import { fitTemperature, type ScoredExample } from "./calibrate.ts"
import { ExampleSet } from "./example-set.ts"
import { nextVersion, writeModelDirectory } from "./payload-model-directory.ts"
import { trainLinear } from "./train-linear.ts"
import { halveSources, scoreRows } from "./two-fold.ts"

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
const EPOCHS = 6
const LEARNING_RATE = 0.3
/** Judged files by what the reports call them; none is trained on. */
const JUDGED_FILES = { validate: "validate.jsonl.gz", unlicensed: "train-unlicensed.jsonl.gz" }
/** Share of benign payloads that may look certain to be an attack. */
const CERTAIN_FPR = 0.001
const CERTAIN_MIN = 0.9
const CERTAIN_MAX = 0.9999

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
  const generated = [
    ...generatePayloads({ seed, count: options.generated ?? GENERATED_DEFAULT }),
  ] as const
  const rows = [...collected, ...generated]
  progress(`${collected.length} collected and ${generated.length} generated payloads`)

  const weights = roundToHalf(trainRows(rows, seed, progress))
  progress("calibrating on sources left out")
  const heldOut = scoreHeldOut({ collected, generated, seed })
  const temperature = fitTemperature(heldOut)

  const judged = await readJudgedRows(options.dataDir, collected)
  const draft: LinearModel = {
    weights,
    temperature,
    certainThreshold: 1,
    provenance: {
      seed,
      trainingDataSha256: digestOf(rows),
      trainingSamples: rows.length,
      validationSamples: judged.validate?.length ?? 0,
    },
  }
  const threshold = certainThreshold(draft, judged.validate ?? freshRows(seed))
  return register({ ...draft, certainThreshold: threshold }, judged, options)
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

function trainRows(
  rows: readonly LabelledPayload[],
  seed: number,
  progress: (message: string) => void = () => {},
): LinearWeights {
  const examples = new ExampleSet()
  for (const row of rows) examples.add(row)
  return trainLinear(examples, {
    seed,
    epochs: EPOCHS,
    learningRate: LEARNING_RATE,
    onEpoch: (epoch, loss) => progress(`epoch ${epoch + 1} of ${EPOCHS}: loss ${loss.toFixed(4)}`),
  })
}

/** Scores each half of the sources by a model that was trained on the other half. */
function scoreHeldOut(parts: {
  readonly collected: readonly LabelledPayload[]
  readonly generated: readonly LabelledPayload[]
  readonly seed: number
}): readonly ScoredExample[] {
  const { collected, generated, seed } = parts
  if (collected.length === 0) {
    const cut = Math.floor(generated.length * 0.8)
    return scoreRows(trainRows(generated.slice(0, cut), seed), generated.slice(cut))
  }
  const halves = halveSources(collected)
  return [0, 1].flatMap((half) => {
    const others = collected.filter((row) => halves.get(row.source) !== half)
    const weights = trainRows([...others, ...generated], seed)
    return scoreRows(
      weights,
      collected.filter((row) => halves.get(row.source) === half),
    )
  })
}

/** P(attack) that at most one in a thousand benign payloads of the judged set exceeds. */
function certainThreshold(model: LinearModel, rows: readonly LabelledPayload[]): number {
  const classifier = classifierOf(model, "draft")
  const benign = rows.filter((row) => row.label === "benign")
  const scores = benign.map((row) => judge(row, classifier).attackProbability)
  return Math.min(CERTAIN_MAX, Math.max(CERTAIN_MIN, thresholdAt(scores, CERTAIN_FPR)))
}

function classifierOf(model: LinearModel, modelId: string): LinearPayloadClassifier {
  return new LinearPayloadClassifier(model, {
    modelId,
    modelType: MODEL_TYPE,
    trainedAt: "",
    trainingSamples: model.provenance.trainingSamples,
    validationSamples: model.provenance.validationSamples,
    metrics: {},
  })
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
  const version = options.version ?? (await nextVersion(options.outDir))
  const modelId = `${PAYLOAD_MODEL_NAME}/${version}`
  const classifier = classifierOf(model, modelId)
  const sets = judged.validate === undefined ? { generated: freshRows(options.seed ?? 1) } : judged
  const parity = await checkParity(
    bytes,
    classifier,
    Object.values(sets).flatMap((rows) => rows ?? []),
  )
  const reports: Record<string, EvaluationReport> = {}
  for (const [name, rows] of Object.entries(sets)) {
    options.onProgress?.(`judging ${rows?.length ?? 0} payloads of ${name}`)
    reports[name] = await evaluatePayloads(asyncOf(rows ?? []), classifier)
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
    recall_at_fpr_0_001: recallAtFpr["0.001"],
    recall_at_fpr_0_005: recallAtFpr["0.005"],
    recall_at_fpr_0_01: recallAtFpr["0.01"],
    ece,
    parity_max_difference: parity,
  }
  const known = Object.entries(figures).filter(([, figure]) => figure !== null)
  return Object.fromEntries(known) as Record<string, number>
}
