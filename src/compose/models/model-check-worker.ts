import { constants, setPriority } from "node:os"
import { ModelRefusedError } from "../../errors.ts"
import { openPayloadModel } from "../../ml/serving/load-payload-classifier.ts"
import { checkedScores } from "../../ml/serving/load-served-model.ts"
import { sha256 } from "../../ml/serving/payload-model-files.ts"

export interface ModelCheckOrder {
  readonly directory: string
  readonly modelSha256: string
}

export type ModelCheckAnswer =
  | { readonly referenceScores: readonly number[] }
  | { readonly refused: string }

/** Checks a model in a thread that comes after whoever answers requests. */
// biome-ignore lint/style/noDefaultExport: what a worker pool loads is a default export
export default async function check(order: ModelCheckOrder): Promise<ModelCheckAnswer> {
  // Linux takes 0 for the thread that asks, others for the whole process
  if (process.platform === "linux") setPriority(0, constants.priority.PRIORITY_BELOW_NORMAL)
  try {
    const opened = await openPayloadModel(order.directory)
    if (sha256(opened.bytes) !== order.modelSha256) return { refused: "it has just been replaced" }
    return { referenceScores: await checkedScores(opened) }
  } catch (error) {
    if (error instanceof ModelRefusedError) return { refused: error.problem }
    throw error
  }
}
