import { join } from "node:path"
import type { PayloadClassifier } from "../../ports.ts"
import type { LabelledPayload } from "../evaluation/labelled-payloads.ts"
import { DEEP_MODEL_NAME, sha256 } from "../serving/payload-model-files.ts"
import { fitTemperature } from "../training/calibrate.ts"
import type { TransformerShape } from "./byte-transformer.ts"
import { ByteWindows, TRAINING_WINDOWS_MAX } from "./byte-windows.ts"
import { scoreTexts } from "./choose-windows.ts"
import { compareTiers, type TierReports } from "./compare-tiers.ts"
import { DeepJudge } from "./deep-judge.ts"
import { type DeepModel, encodeDeepModel } from "./deep-model.ts"
import { writeDeepModel } from "./deep-model-directory.ts"
import { recordParity } from "./deep-parity.ts"
import { DeepScorer } from "./deep-scorer.ts"
import { TOKENS_MAX, VOCABULARY } from "./text-batch.ts"
import { trainTransformer } from "./train-transformer.ts"
import { digestOf, readTrainingRows, type TrainingRows } from "./training-rows.ts"

export interface DeepTrainingOptions {
  /** Folder with `train.jsonl.gz` and `validate.jsonl.gz`; default: generators alone. */
  readonly dataDir?: string
  /** The folder `models`; the model is written to `payload-deep/<version>` below it. */
  readonly outDir: string
  readonly seed?: number
  /** How many payloads the generators add; default 80,000. */
  readonly generated?: number
  /** Passes over the training data; default 2. */
  readonly epochs?: number
  readonly version?: string
  /** ISO 8601; default now. */
  readonly trainedAt?: string
  /** Judges the same rows, to compare and blend with. */
  readonly linear?: PayloadClassifier
  readonly onProgress?: (message: string) => void
}

export interface DeepTrainingResult {
  readonly modelDir: string
  readonly modelId: string
  readonly modelSha256: string
  readonly reports: TierReports
}

const ROWS_A_CALL = 256
const GENERATED_DEFAULT = 80_000
const TRAINING = { epochs: 2, batch: 128, learningRate: 2e-3, decay: 2e-3, byteDrop: 0.03 } as const
const SHAPE: TransformerShape = {
  vocabulary: VOCABULARY,
  byteChannels: 32,
  channels: 64,
  hidden: 128,
  heads: 4,
  blocks: 1,
  tokensMax: TOKENS_MAX,
}

/**
 * Trains the byte transformer in ONNX Runtime, judges it on unseen sources and writes it with its
 * metrics and card. The same data, seed and runtime give the same model.onnx.
 *
 * @throws MalformedError for a row of the data that is none
 */
export async function trainDeepTier(options: DeepTrainingOptions): Promise<DeepTrainingResult> {
  const { dataDir, seed = 1, generated = GENERATED_DEFAULT, onProgress = () => {} } = options
  const data = await readTrainingRows({ seed, generated, ...(dataDir && { dataDir }) })
  onProgress(`${data.rows.length} payloads`)
  const startedMs = cpuMs()
  const windows = new ByteWindows(data.rows, TRAINING_WINDOWS_MAX)
  const training = { ...TRAINING, epochs: options.epochs ?? TRAINING.epochs }
  const onEpoch = (epoch: number, loss: number) =>
    onProgress(`epoch ${epoch + 1} of ${training.epochs}: loss ${loss.toFixed(4)}`)
  const parameters = await trainTransformer(windows, { ...training, shape: SHAPE, seed, onEpoch })
  const trainingCpuSeconds = (cpuMs() - startedMs) / 1000
  const provenance = {
    seed,
    trainingDataSha256: digestOf(data.rows),
    trainingSamples: data.rows.length,
  }
  onProgress(`judging ${data.judged.length} payloads`)
  const draft = { shape: SHAPE, parameters, temperature: 1, provenance }
  const { model, reports } = await calibrateAndJudge(draft, data, options.linear)
  return register({ model, reports, data, training, trainingCpuSeconds }, options)
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** The temperature is fitted on the judged rows themselves: their ECE is optimistic. */
async function calibrateAndJudge(
  draft: DeepModel,
  { judged }: TrainingRows,
  linear: PayloadClassifier | undefined,
): Promise<{ readonly model: DeepModel; readonly reports: TierReports }> {
  const scorer = await DeepScorer.open(encodeDeepModel(draft))
  const windows = new ByteWindows(judged)
  const logits = await scoreTexts(windows, scorer)
  await scorer.release()
  const scored = logits.map((row, index) => ({ logits: row, label: windows.labels[index] ?? 0 }))
  const model = { ...draft, temperature: fitTemperature(scored) }
  return { model, reports: compareTiers(judged, await judgeRows(model, judged), linear) }
}

/** As the model is served. */
async function judgeRows(
  model: DeepModel,
  rows: readonly LabelledPayload[],
): Promise<readonly Float64Array[]> {
  const judge = await DeepJudge.of(encodeDeepModel(model))
  const answers: Float64Array[] = []
  for (let from = 0; from < rows.length; from += ROWS_A_CALL) {
    const judged = await judge.judge(rows.slice(from, from + ROWS_A_CALL))
    answers.push(...judged.map((row) => Float64Array.from(row)))
  }
  await judge.release()
  return answers
}

async function register(
  trained: {
    readonly model: DeepModel
    readonly reports: TierReports
    readonly data: TrainingRows
    readonly training: Readonly<Record<string, number>>
    readonly trainingCpuSeconds: number
  },
  options: DeepTrainingOptions,
): Promise<DeepTrainingResult> {
  const bytes = encodeDeepModel(trained.model)
  const modelSha256 = sha256(bytes)
  const judge = await DeepJudge.of(bytes)
  const parity = await recordParity((texts) => judge.judge(texts)).finally(() => judge.release())
  const modelId = `${DEEP_MODEL_NAME}/${options.version ?? "1.0.0"}`
  const modelDir = join(options.outDir, modelId)
  await writeDeepModel(modelDir, {
    bytes,
    modelSha256,
    modelId,
    model: trained.model,
    trainedAt: options.trainedAt ?? new Date().toISOString(),
    trainingCpuSeconds: trained.trainingCpuSeconds,
    judgedName: trained.data.judgedName,
    judgedRows: trained.data.judged.length,
    training: trained.training,
    reports: trained.reports,
    parity,
  })
  return { modelDir, modelId, modelSha256, reports: trained.reports }
}
