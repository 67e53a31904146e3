import { resolve } from "node:path"
import { newest } from "../compose/models.ts"
import { publicError } from "../errors.ts"
import { trainDeepTier } from "../ml/deep/train-deep-tier.ts"
import { trainSessionForest } from "../ml/models/isolation-forest-training.ts"
import { loadPayloadClassifier } from "../ml/serving/load-payload-classifier.ts"
import { trainPayloadClassifier } from "../ml/training/train-payload-classifier.ts"
import type { PayloadClassifier } from "../ports.ts"
import { endProgress, showProgress, type Terminal } from "./terminal.ts"

export interface TrainOptions {
  readonly data?: string
  readonly out: string
  readonly only?: "payload" | "session"
  /** Of the payload model: "linear", which is served, or "deep", which is compared with it. */
  readonly tier?: "linear" | "deep"
  /** Each model has its own default: that of the shipped one. */
  readonly seed?: number
}

/**
 * Trains the models, compares each with ONNX Runtime and writes it with its card and metrics.
 * @throws ModelRefusedError where a trained model does not agree with ONNX Runtime
 */
export async function train(options: TrainOptions, terminal: Terminal): Promise<number> {
  const { data, only } = options
  const seed = options.seed === undefined ? {} : { seed: options.seed }
  const outDir = resolve(options.out)
  const onProgress = (message: string) => showProgress(terminal, message)
  if (options.tier === "deep") return trainDeep(options, terminal)
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

async function trainDeep(options: TrainOptions, terminal: Terminal): Promise<number> {
  const linear = await openLinearTier(terminal)
  const { modelDir } = await trainDeepTier({
    outDir: resolve(options.out),
    ...(options.seed !== undefined && { seed: options.seed }),
    onProgress: (message) => showProgress(terminal, message),
    ...(options.data !== undefined && { dataDir: resolve(options.data) }),
    ...(linear && { linear }),
  })
  endProgress(terminal)
  await terminal.write(`${modelDir}\n`)
  return 0
}

/** The shipped linear tier; without one the deep tier is trained all the same, and not compared. */
async function openLinearTier(terminal: Terminal): Promise<PayloadClassifier | undefined> {
  try {
    return await loadPayloadClassifier(newest("payload-linear"))
  } catch (error) {
    terminal.note(`no linear tier to compare with: ${publicError(error).message}\n`)
    return undefined
  }
}
