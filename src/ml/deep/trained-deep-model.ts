import type { TierReports } from "./compare-tiers.ts"
import type { DeepModel } from "./deep-model.ts"
import type { DeepParity } from "./deep-parity.ts"

/** A trained model of the deep tier, and what was measured of it before it is written. */
export interface TrainedDeepModel {
  readonly bytes: Uint8Array
  readonly modelSha256: string
  readonly modelId: string
  readonly model: DeepModel
  readonly trainedAt: string
  readonly trainingCpuSeconds: number
  readonly judgedName: "validate" | "generated"
  readonly judgedRows: number
  readonly training: Readonly<Record<string, number>>
  readonly reports: TierReports
  readonly parity: DeepParity
}
