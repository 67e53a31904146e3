import { ModelRefusedError } from "../../errors.ts"
import { PAYLOAD_CLASSES } from "../../events.ts"
import { type OnnxSession, type OnnxTensor, openOnnxSession } from "../onnx/session.ts"
import { batchesOf } from "./batches.ts"
import type { ByteWindows } from "./byte-windows.ts"
import { requireDeepModel } from "./deep-model.ts"
import { textBatch } from "./text-batch.ts"

const CLASSES = PAYLOAD_CLASSES.length
const BATCH = 256

/** Judges windows by the deep model, in ONNX Runtime. */
export class DeepScorer {
  readonly #session: OnnxSession

  private constructor(session: OnnxSession) {
    this.#session = session
  }

  /** @throws ModelRefusedError for a file made for other inputs, or not to be run */
  static async open(model: Uint8Array): Promise<DeepScorer> {
    requireDeepModel(model)
    return new DeepScorer(await openOnnxSession(model))
  }

  /** Logits of the given windows, [windows, classes] in their order; calibrated by nothing. */
  async logits(windows: ByteWindows, chosen: readonly number[]): Promise<Float32Array> {
    const logits = new Float32Array(chosen.length * CLASSES)
    const placed = chosen.map((window, place) => ({ window, place }))
    for (const batch of batchesOf(windows, placed, { size: BATCH })) {
      const rows = Int32Array.from(batch, ({ window }) => window)
      const outputs = await this.#session.run({ ...textBatch(windows, rows) })
      const data = floatsOf(outputs.logits)
      for (const [row, { place }] of batch.entries()) {
        logits.set(data.subarray(row * CLASSES, (row + 1) * CLASSES), place * CLASSES)
      }
    }
    return logits
  }

  release(): Promise<void> {
    return this.#session.release()
  }
}

function floatsOf(tensor: OnnxTensor | undefined): Float32Array {
  if (tensor?.type !== "float32") throw new ModelRefusedError("it gives no logits")
  return tensor.data
}
