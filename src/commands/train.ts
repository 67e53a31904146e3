import { resolve } from "node:path"
import { trainSessionForest } from "../ml/models/isolation-forest-training.ts"
import { trainPayloadClassifier } from "../ml/training/train-payload-classifier.ts"
import { endProgress, showProgress, type Terminal } from "./terminal.ts"

export interface TrainOptions {
  readonly data?: string
  readonly out: string
  readonly only?: "payload" | "session"
  readonly seed: number
}

/**
 * Trains the models, compares each with ONNX Runtime and writes it with its card and metrics.
 * @throws ModelRefusedError where a trained model does not agree with ONNX Runtime
 */
export async function train(options: TrainOptions, terminal: Terminal): Promise<number> {
  const { data, only, seed } = options
  const outDir = resolve(options.out)
  const onProgress = (message: string) => showProgress(terminal, message)
  if (only !== "session") {
    const dataDir = data === undefined ? {} : { dataDir: resolve(data) }
    const { modelDir } = await trainPayloadClassifier({ outDir, seed, onProgress, ...dataDir })
    endProgress(terminal)
    await terminal.write(`${modelDir}\n`)
  }
  if (only !== "payload") {
    const { directory } = await trainSessionForest({ outDir, seed, onProgress })
    endProgress(terminal)
    await terminal.write(`${directory}\n`)
  }
  return 0
}
