import type { ChosenWindow } from "./batches.ts"
import type { TransformerShape } from "./byte-transformer.ts"
import type { ByteWindows } from "./byte-windows.ts"
import { chooseWindows, singleWindows } from "./choose-windows.ts"
import { encodeDeepModel } from "./deep-model.ts"
import { DeepScorer } from "./deep-scorer.ts"
import { TransformerTrainer, type TransformerTraining } from "./transformer-trainer.ts"

/**
 * Trains a byte transformer in ONNX Runtime, on one thread: the same windows, options and runtime
 * give the same parameters. The first epoch learns from texts of one window; for longer ones, the
 * model of the epoch before says which window counts.
 *
 * @returns all parameters as one vector, in the order of `transformerParameters`
 */
export async function trainTransformer(
  windows: ByteWindows,
  options: TransformerTraining & {
    /** Called after each epoch with the mean weighted loss. */
    readonly onEpoch?: (epoch: number, loss: number) => void
  },
): Promise<Float32Array> {
  const trainer = await TransformerTrainer.open(windows, options)
  try {
    for (let epoch = 0; epoch < options.epochs; epoch++) {
      const chosen =
        epoch === 0
          ? singleWindows(windows)
          : await chooseByModel(windows, options.shape, trainer.parameters)
      options.onEpoch?.(epoch, await trainer.epoch(chosen))
    }
    return trainer.parameters
  } finally {
    await trainer.release()
  }
}

async function chooseByModel(
  windows: ByteWindows,
  shape: TransformerShape,
  parameters: Float32Array,
): Promise<readonly ChosenWindow[]> {
  const provenance = { seed: 0, trainingDataSha256: "", trainingSamples: 0 }
  const draft = encodeDeepModel({ shape, parameters, temperature: 1, provenance })
  const scorer = await DeepScorer.open(draft)
  const chosen = await chooseWindows(windows, scorer)
  await scorer.release()
  return chosen
}
