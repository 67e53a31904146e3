import type { VerdictWord } from "../events.ts"
import type { Logger } from "../log.ts"
import type {
  Analyzer,
  CachedClassifier,
  Clock,
  Enrichment,
  ModelInfo,
  PayloadInput,
  VerdictStore,
} from "../ports.ts"
import type { Telemetry } from "../telemetry.ts"

/** What the rules alone say of a payload: shown beside the model's answer, never instead of it. */
export interface SignatureOpinion {
  /** A payload class; `benign` where nothing matched. */
  readonly class: string
  /** Names of the signatures that matched. */
  readonly matched: readonly string[]
}

/** Counts since the process started. */
export interface EngineStats {
  readonly verdicts: Readonly<Record<VerdictWord, number>>
  readonly deadLetters: number
  /** Further numbers of the engine by snake_case name, e.g. `in_flight`. */
  readonly engine: Readonly<Record<string, number>>
}

export interface Readiness {
  readonly ready: boolean
  /** Why not, in words for an operator; empty when ready. */
  readonly reasons: readonly string[]
}

/** What /health, /ready and /metrics need. */
export interface ProbeParts {
  /** The address that the server binds to; it decides which Host headers are believed. */
  readonly host: string
  /** Bearer token of the endpoints that change something; undefined = loopback only. */
  readonly apiToken: string | undefined
  readonly telemetry: Telemetry
  readonly ready: () => Readiness
  readonly version: string
  readonly clock: Pick<Clock, "nowMs">
  readonly log: Logger
}

/** Everything the API puts in front; what is undefined is answered with 503. */
export interface ApiParts extends ProbeParts {
  readonly analyzer: Analyzer
  readonly classifier: CachedClassifier
  readonly signatures: ((input: PayloadInput) => SignatureOpinion) | undefined
  readonly verdicts: VerdictStore | undefined
  readonly models: readonly ModelInfo[]
  /** Resolves once the evidence is durably queued for the flow. `bytes` as the client wrote them. */
  readonly submitEvidence:
    | ((bytes: Uint8Array, enrichment?: Enrichment) => Promise<{ readonly eventId: string }>)
    | undefined
  readonly stats: () => EngineStats
}
