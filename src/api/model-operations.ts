import type {
  FigureComparison,
  ModelState,
  ModelTransition,
  TrafficPlan,
} from "../model-traffic.ts"
import type { ModelInfo } from "../ports.ts"

/** What the API asks of whoever serves the models. */
export interface ModelOperations {
  list(): Promise<readonly ModelSummary[]>
  /** @throws ModelUnknownError */
  show(modelId: string): Promise<ModelDetail>
  /** @throws ModelUnknownError, ModelNotPromotableError, ModelRefusedError, UnavailableError */
  promote(request: PromoteRequest): Promise<ModelChange>
  /**
   * @param tier "deep" = takes the second tier away; default: what the fast one does
   * @throws ModelNotPromotableError where there is nothing to go back to
   */
  rollback(reason: string, tier?: Tier): Promise<ModelChange>
  health(): ModelServerHealth
}

export const TIERS = ["fast", "deep"] as const
export type Tier = (typeof TIERS)[number]

export interface PromoteRequest {
  readonly modelId: string
  /** 0 = in the shadow, 100 = live, between = share of the sessions */
  readonly percent: number
  /** True = from 1 to 10 to 100 percent by itself */
  readonly auto?: boolean
  readonly reason?: string
}

export interface ModelChange {
  readonly modelId: string
  readonly state: ModelState
  readonly percent: number
  /** ISO 8601 */
  readonly at: string
  /** With the model that was live, where another one was promoted. */
  readonly comparison?: FigureComparison | undefined
}

export interface ModelSummary {
  readonly info: ModelInfo
  readonly state: ModelState
  /** Share of the sessions that it answers, 0..100 */
  readonly percent: number
  readonly origin: "shipped" | "registered"
  /** Why it cannot be promoted; empty where it can. */
  readonly obstacles: readonly string[]
}

export interface ModelDetail extends ModelSummary {
  readonly card: string
  readonly gates: unknown
  readonly lineage: object
  readonly transitions: readonly ModelTransition[]
  /** With the live model; null for that one itself. */
  readonly comparison: FigureComparison | null
  /** What it has done since it was loaded; null where it is not loaded. */
  readonly traffic: object | null
}

export interface ModelServerHealth {
  readonly plan: TrafficPlan
  /** The live model first. */
  readonly models: readonly ServedModelHealth[]
  readonly cache: {
    readonly entries: number
    readonly entriesMax: number
    readonly hits: number
    readonly misses: number
  }
  readonly skippedComparisons: number
  /** undefined where the fast tier answers alone. */
  readonly secondTier?: SecondTierHealth | undefined
}

/** Of several processes the worst. */
export interface SecondTierHealth
  extends Pick<ServedModelHealth, "modelId" | "breaker" | "errorRate"> {
  /** Texts that are being judged or wait for it. */
  readonly waiting: number
}

export interface ServedModelHealth {
  readonly modelId: string
  readonly breaker: "closed" | "half-open" | "open"
  readonly errorRate: number
  /** Payloads that others or the rules answered in its place. */
  readonly degraded: number
}
