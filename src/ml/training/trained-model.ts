import type { EvaluationReport } from "../evaluation/evaluate-payloads.ts"
import type { LinearModel } from "../models/linear-onnx.ts"

/** A payload model with all that its directory says of it. */
export interface TrainedModel {
  readonly bytes: Uint8Array
  readonly modelSha256: string
  readonly modelId: string
  readonly model: LinearModel
  readonly trainedAt: string
  readonly metrics: Readonly<Record<string, number>>
  readonly reports: Readonly<Record<string, EvaluationReport>>
  /** Whether collected payloads were learnt from, or generated ones alone. */
  readonly withCollectedData: boolean
}
