import type { VerdictWord } from "../events.ts"
import type { Logger } from "../log.ts"
import type { SecondTierSlot } from "../model-traffic.ts"
import type { AuditEntry, AuditHead, Sandbox } from "../ports/sandbox.ts"
import type { SimulationStore } from "../ports/simulation-store.ts"
import type {
  Analyzer,
  CachedClassifier,
  Clock,
  Enrichment,
  ModelInfo,
  Page,
  PayloadInput,
  VerdictStore,
} from "../ports.ts"
import type { SimulationJob } from "../simulation-result.ts"
import type { DeadLetterQuery, StoredDeadLetter } from "../stream/types.ts"
import type { Telemetry } from "../telemetry.ts"
import type { SimulatedClass } from "../twin-protocol.ts"
import type { ModelOperations } from "./model-operations.ts"
import type { RuleOperations } from "./rule-operations.ts"

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

/** Which letters to put back: those named, or those that the query finds. */
export interface RedriveRequest extends DeadLetterQuery {
  readonly ids?: readonly string[]
  /** True = also letters that were put back before. */
  readonly again?: boolean
}

export interface RedriveFailure {
  readonly id: string
  readonly code: string
  readonly message: string
}

/** Ids by what became of them. */
export interface RedriveReport {
  readonly redriven: readonly string[]
  /** Put back before, and `again` was not asked for. */
  readonly skipped: readonly string[]
  readonly failed: readonly RedriveFailure[]
  /** False where the time was over, or the page full, before the last letter: ask again. */
  readonly isComplete: boolean
  /** Where the rest of what the query finds begins; ids that are missing in the report are asked anew. */
  readonly cursor: string | undefined
}

export interface DeadLetters {
  list(query: DeadLetterQuery): Page<StoredDeadLetter>
  /** @throws MalformedError for what is no id */
  get(id: string): StoredDeadLetter | undefined
  redrive(request: RedriveRequest): Promise<RedriveReport>
}

/** A payload that a person wants tried. */
export interface SimulationRequest {
  readonly type: SimulatedClass
  /** At most `TWIN_LIMITS.payloadBytesMax` bytes. */
  readonly value: string
  readonly location: string
  readonly sessionId: string
}

export interface Simulations extends Pick<SimulationStore, "byId" | "query"> {
  /**
   * Resolves once the payload is durably queued, at the highest priority.
   * @throws SandboxUnavailableError, SandboxPanickedError: nothing is queued that nobody can try
   */
  submit(request: SimulationRequest): Promise<SimulationJob>
}

export interface SandboxOperations
  extends Pick<Sandbox, "describe" | "pool" | "isPanicked" | "panic" | "resume"> {
  /** What the audit log ends with; newest last. */
  auditTail(limit: number): Promise<readonly AuditEntry[]>
  auditHead(): AuditHead
}

/** A payload that was called an attack and is none, says a reviewer. */
export interface FalsePositive {
  readonly payload: string
  readonly sessionId: string | undefined
  readonly originalLabel: string | undefined
  readonly notes: string | undefined
  readonly reviewer: string
}

export interface FalsePositives {
  /** Resolves once durable; a payload is reported once for each session. @throws UnavailableError */
  report(report: FalsePositive): Promise<"new" | "same">
}

/** What whoever operates a process asks of it, with or without the API. */
export interface OperatingParts {
  readonly deadLetters: DeadLetters | undefined
  /** Undefined where this process simulates nothing. */
  readonly sandbox?: SandboxOperations | undefined
  readonly simulations?: Simulations | undefined
  /** Undefined where this process serves no models. */
  readonly models?: ModelOperations | undefined
  /** Undefined where this process makes no rules. */
  readonly rules?: RuleOperations | undefined
  readonly falsePositives?: FalsePositives | undefined
  /** The running graph as JSON; undefined where no flow runs. */
  readonly topology: (() => Promise<object>) | undefined
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
  readonly operating: OperatingParts
}

/** What judging payloads needs beside the probes. */
export interface InferenceParts
  extends ProbeParts,
    Pick<ApiParts, "classifier" | "signatures" | "secondTier"> {}

/** Everything the API puts in front; what is undefined is answered with 503. */
export interface ApiParts extends ProbeParts {
  readonly analyzer: Analyzer
  readonly classifier: CachedClassifier
  /** undefined where there never is one. */
  readonly secondTier?: SecondTierSlot | undefined
  readonly signatures: ((input: PayloadInput) => SignatureOpinion) | undefined
  readonly verdicts: VerdictStore | undefined
  readonly models: readonly ModelInfo[]
  /** Resolves once the evidence is durably queued for the flow. `bytes` as the client wrote them. */
  readonly submitEvidence:
    | ((bytes: Uint8Array, enrichment?: Enrichment) => Promise<{ readonly eventId: string }>)
    | undefined
  readonly stats: () => EngineStats
}
