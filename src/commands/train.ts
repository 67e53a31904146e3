import { constants, setPriority } from "node:os"
import { resolve } from "node:path"
import { version } from "../../package.json"
import { liveModelId, modelDirectories, newest } from "../compose/models.ts"
import { readConfig } from "../config.ts"
import { publicError } from "../errors.ts"
import { registerDeepModel } from "../ml/deep/register-deep-model.ts"
import { type DeepTrainingOptions, trainDeepTier } from "../ml/deep/train-deep-tier.ts"
import { gates } from "../ml/evaluation/gates.ts"
import { trainSessionForest } from "../ml/models/isolation-forest-training.ts"
import { fieldwiseClassifier } from "../ml/serving/fieldwise-classifier.ts"
import { loadPayloadClassifier } from "../ml/serving/load-payload-classifier.ts"
import { unmetGates } from "../ml/serving/model-catalog.ts"
import { registerPayloadModel } from "../ml/training/register-payload-model.ts"
import { trainPayloadClassifier } from "../ml/training/train-payload-classifier.ts"
import type { PayloadClassifier } from "../ports.ts"
import { REPOSITORY } from "./repository.ts"
import { endProgress, showProgress, type Terminal } from "./terminal.ts"

export interface TrainOptions {
  readonly data?: string
  /** Without it the payload model is registered in the data directory. */
  readonly out?: string
  readonly only?: "payload" | "session"
  /** Of the payload model: "linear", which answers, or "deep", which is asked where it is unsure. */
  readonly tier?: "linear" | "deep"
  /** Each model has its own default: that of the shipped one. */
  readonly seed?: number
}

const OUT_DEFAULT = "./models"

/**
 * Trains, compares with ONNX Runtime and judges. Without a folder to write to, the payload model becomes
 * a candidate of the data directory's registry; with one, both models are written there.
 * @throws ModelRefusedError where a trained model does not agree with ONNX Runtime
 */
export async function train(options: TrainOptions, terminal: Terminal): Promise<number> {
  // A server on the same machine comes first.
  setPriority(constants.priority.PRIORITY_LOW)
  if (options.tier === "deep") return trainDeep(options, terminal)
  if (options.out === undefined && options.only !== "session") return register(options, terminal)
  const { data, only, out = OUT_DEFAULT } = options
  const seed = options.seed === undefined ? {} : { seed: options.seed }
  const outDir = resolve(out)
  const onProgress = (message: string) => showProgress(terminal, message)
  if (only !== "session") {
    const dataDir = data === undefined ? {} : { dataDir: resolve(data) }
    const { modelDir } = await trainPayloadClassifier({ outDir, onProgress, ...seed, ...dataDir })
    endProgress(terminal)
    await terminal.write(`${modelDir}\n`)
  }
  if (only !== "payload") {
    const { directory } = await trainSessionForest({ outDir, onProgress, ...seed })
    endProgress(terminal)
    await terminal.write(`${directory}\n`)
  }
  return 0
}

/** A server that runs on the data directory sees the candidate at once. */
async function register(options: TrainOptions, terminal: Terminal): Promise<number> {
  const { data, seed } = options
  const config = readConfig(terminal.env)
  const { modelId, modelDir, reports } = await registerPayloadModel({
    directories: modelDirectories(config),
    parent: await liveModelId(config),
    codeVersion: codeVersion(),
    onProgress: (message) => showProgress(terminal, message),
    ...(seed !== undefined && { seed }),
    ...(data !== undefined && { dataDir: resolve(data) }),
  })
  endProgress(terminal)
  await terminal.write(`${modelDir}\n`)
  const [name, report] = Object.entries(reports)[0] ?? []
  const unmet = report === undefined ? ["nothing was judged"] : unmetGates(gates(report))
  const outcome =
    unmet.length === 0
      ? `meets its gates on ${name}: ./sentinel models promote ${modelId} --percent 1`
      : `misses gates on ${name}: ${unmet.join("; ")}`
  terminal.note(`${modelId} is registered as a candidate and ${outcome}\n`)
  return 0
}

/** With the commit where the program runs from a clone. */
function codeVersion(): string {
  if (Bun.which("git") === null) return version
  const command = ["git", "-C", REPOSITORY, "rev-parse", "--short=12", "HEAD"]
  const { success, stdout } = Bun.spawnSync(command, { stderr: "ignore" })
  return success ? `${version}+${stdout.toString().trim()}` : version
}

/** Like the fast tier: a candidate of the registry, or with a folder to write to no more than that. */
async function trainDeep(options: TrainOptions, terminal: Terminal): Promise<number> {
  const { data, out, seed } = options
  const linear = await openLinearTier(terminal)
  const training = {
    onProgress: (message: string) => showProgress(terminal, message),
    ...(seed !== undefined && { seed }),
    ...(data !== undefined && { dataDir: resolve(data) }),
    ...(linear && { linear }),
  }
  const trained =
    out === undefined
      ? await registerDeep(training, terminal)
      : await trainDeepTier({ ...training, outDir: resolve(out) })
  endProgress(terminal)
  await terminal.write(`${trained.modelDir}\n`)
  if (out !== undefined) return 0
  const { deep } = trained.reports
  const unmet = deep === undefined ? ["nothing was judged"] : unmetGates(gates(deep))
  const outcome =
    unmet.length === 0
      ? `meets its gates: ./sentinel models promote ${trained.modelId}`
      : `misses its gates: ${unmet.join("; ")}`
  terminal.note(`${trained.modelId} is registered for the second tier and ${outcome}\n`)
  return 0
}

async function registerDeep(training: Omit<DeepTrainingOptions, "outDir">, terminal: Terminal) {
  const config = readConfig(terminal.env)
  return registerDeepModel({
    ...training,
    directories: modelDirectories(config),
    parent: await liveModelId(config),
    codeVersion: codeVersion(),
  })
}

/** The shipped linear tier; without one the deep tier is trained all the same, and not compared. */
async function openLinearTier(terminal: Terminal): Promise<PayloadClassifier | undefined> {
  try {
    return fieldwiseClassifier(await loadPayloadClassifier(newest("payload-linear")))
  } catch (error) {
    terminal.note(`no linear tier to compare with: ${publicError(error).message}\n`)
    return undefined
  }
}
