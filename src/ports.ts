import type {
  AnomalyScore,
  Classification,
  ExplainedVerdict,
  Explanation,
  Features,
  PayloadKind,
  PayloadSpan,
  Profile,
  StoredObject,
  SuspectPayload,
  Verdict,
  VerdictWord,
} from "./events.ts"
import type { Rule, RuleState, StoredRule } from "./rule.ts"
import type { SimulationJob, SimulationVerdict } from "./simulation-result.ts"
import type { TwinAnswer, TwinRequest } from "./twin-protocol.ts"

/** One interface for each outside system; adapters implement them, the flows know no other. */

export interface Clock {
  /** Epoch milliseconds. */
  nowMs(): number
  /** Resolves after `ms`, or rejects with the signal's reason. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}

export interface ObjectEntry {
  readonly key: string
  readonly bytes: number
  readonly modifiedMs: number
}

/** Reads evidence objects. Every call is bounded in bytes, in number and by the signal. */
export interface ObjectStore {
  readonly name: string
  /** @throws TooLargeError, UnavailableError */
  list(
    bucket: string,
    prefix: string,
    options: { objectsMax: number; signal?: AbortSignal },
  ): Promise<readonly ObjectEntry[]>
  /** @throws ObjectNotFoundError, TooLargeError, UnavailableError */
  get(
    bucket: string,
    key: string,
    options: { bytesMax: number; signal?: AbortSignal },
  ): Promise<StoredObject>
  /** @throws UnavailableError */
  ping(signal?: AbortSignal): Promise<void>
}

/** What the store says of an event before it is analysed or written. */
export type Novelty = "new" | "same" | "conflict"

export interface Page<T> {
  readonly items: readonly T[]
  /** Opaque; undefined on the last page. */
  readonly cursor: string | undefined
}

export interface VerdictQuery {
  readonly sessionId?: string
  readonly sinceMs?: number
  /** 1..1000 */
  readonly limit: number
  readonly cursor?: string
}

/** Verdicts by event, session and time. Writing one event twice changes nothing. */
export interface VerdictStore {
  /** Resolves once durable. @throws EventIdConflictError for another idempotency key */
  put(verdict: ExplainedVerdict): Promise<Novelty>
  /** The same, answering with the verdict held afterwards: the first one written, itself if new. */
  record(verdict: ExplainedVerdict): Promise<ExplainedVerdict>
  novelty(eventId: string, idempotencyKey: string): Novelty
  byEvent(eventId: string): ExplainedVerdict | undefined
  query(query: VerdictQuery): Page<ExplainedVerdict>
  count(): number
  close(): Promise<void>
}

/** What a caller knows of the request that a text stood in. */
export interface PayloadContext {
  /** Name of the parameter that held the text. */
  readonly param?: string
  readonly path?: string
  readonly method?: string
  /** Of the body that held the text. */
  readonly contentType?: string
}

export interface PayloadInput {
  readonly text: string
  readonly kind?: PayloadKind
  /** Tells the kind where none is given. */
  readonly context?: PayloadContext
}

export interface ModelInfo {
  readonly modelId: string
  readonly modelType: string
  readonly trainedAt: string
  readonly trainingSamples: number
  readonly validationSamples: number
  readonly metrics: Readonly<Record<string, number>>
}

/** Judges one text. Synchronous on purpose: it is the hot path and does no I/O. */
export interface PayloadClassifier {
  readonly info: ModelInfo
  /** P(attack) at and above which a payload is certain to be an attack; chosen on validate. */
  readonly certainThreshold: number
  /**
   * P(attack) by the share of benign texts that exceed it ("0.01", "0.005", "0.001", "0.0002"), as
   * chosen on validate; absent where the model holds none.
   */
  readonly thresholds?: Readonly<Record<string, number>>
  classify(input: PayloadInput): Classification
  /**
   * Spans sorted by absolute weight; at most `spansMax` (default 8).
   * @param modelId whose answer is explained, where there are several; one that is gone = the live one
   */
  explain(
    input: PayloadInput,
    spansMax?: number,
    modelId?: string,
  ): readonly Omit<PayloadSpan, "payload_id">[]
}

/** A classifier that remembers its answers, and says when it did. */
export interface CachedClassifier extends PayloadClassifier {
  /** @param options `sessionId`: what keeps a client on one side of a split between models */
  lookup(
    input: PayloadInput,
    options?: { readonly sessionId?: string },
  ): {
    readonly classification: Classification
    readonly cached: boolean
    /** What the model took; undefined where nobody measured it, as for a remembered answer. */
    readonly elapsedMs?: number
  }
  cacheStats(): {
    readonly entries: number
    readonly entriesMax: number
    readonly hits: number
    readonly misses: number
  }
}

/** Judges the behaviour of a session. */
export interface AnomalyScorer {
  readonly info: ModelInfo
  /** Names of the features it reads; all others cannot move its score. */
  readonly featureNames: readonly string[]
  score(features: Features): AnomalyScore
}

/** What may stand in for the event of a bare document (contract, section 3). */
export interface Enrichment {
  readonly tags?: readonly string[]
  readonly meta?: Readonly<Record<string, unknown>>
}

/** The analysis flow for one document: no side effect, nothing stored, nothing simulated. */
export interface Analyzer {
  /**
   * @param bytes a JSON document, a bare HAR or a `.tar.gz`, told by its first bytes
   * @throws SentinelError with the code and field that a dead letter would have had
   */
  analyze(
    bytes: Uint8Array,
    options?: { enrichment?: Enrichment; signal?: AbortSignal },
  ): Promise<{ readonly verdict: Verdict; readonly explanation: Explanation }>
  /** Explains any subset of the features; the missing ones take their defaults. */
  explain(features: Features, verdict: VerdictWord): Explanation
  /** `captures` is a HAR log, its entries, or an evidence document. @throws MalformedError */
  profile(sessionId: string, captures: unknown): Profile
}

/** Payloads to try in a sandbox: a session of the analysis, or what a person asked for. */
export interface SimulationTask {
  /** Of the evidence; the simulation's own id where a person asked. What makes the task one. */
  readonly eventId: string
  readonly sessionId: string
  /** 0..9, the higher the sooner. */
  readonly priority: number
  readonly eventTimeMs: number
  /** Absent where a person asked. */
  readonly verdict?: Verdict
  /** Absent in what earlier versions queued: nothing is simulated. */
  readonly suspects?: readonly SuspectPayload[]
}

/** A task that is somebody's until it is acknowledged, given back, or the lease is over. */
export interface SimulationLease {
  readonly id: string
  readonly task: SimulationTask
  /** How often the task was handed out, this time included. */
  readonly deliveries: number
}

export interface SimulationDepth {
  readonly ready: number
  readonly leased: number
  /** Tasks given up since the queue was opened: no room, or handed out too often. */
  readonly dropped: number
}

/**
 * The queue between analysis and simulation: bounded, durable, at least once.
 *
 * Higher priorities first, among those at hand; equal ones in order of arrival.
 */
export interface SimulationQueue {
  /** Resolves once the task is durable. One event is queued once, however often it comes. */
  enqueue(task: SimulationTask): Promise<"new" | "same">
  /** What is ready now, at most `max` (1..100) tasks; they come back after `leaseMs`. */
  take(options: {
    readonly max: number
    readonly leaseMs: number
  }): Promise<readonly SimulationLease[]>
  /** The task is done. False where it went back or to another meanwhile. */
  ack(leaseId: string): Promise<boolean>
  /** The task is to be tried again; after too many deliveries it is dropped. False as for `ack`. */
  nack(leaseId: string): Promise<boolean>
  /** The same, where the task is not to blame: this delivery does not count. */
  release(leaseId: string): Promise<boolean>
  /** @throws UnavailableError */
  depth(): Promise<SimulationDepth>
  close(): Promise<void>
}

export interface SimulationQuery {
  readonly eventId?: string
  /** Only results with this verdict. */
  readonly verdict?: SimulationVerdict
  readonly sinceMs?: number
  /** 1..1000 */
  readonly limit: number
  readonly cursor?: string
}

/** Simulations and their results, by id, event and time. */
export interface SimulationStore {
  /**
   * Writes the jobs, all or none; resolves once durable. One that is completed stays as it is: the
   * first result wins, so that a task that comes twice changes nothing.
   */
  put(jobs: readonly SimulationJob[]): Promise<void>
  byId(simulationId: string): SimulationJob | undefined
  /** Newest first. @throws MalformedError for a bad limit or cursor */
  query(query: SimulationQuery): Page<SimulationJob>
  count(): number
  close(): Promise<void>
}

export type SandboxDriverName = "docker" | "bubblewrap" | "none"

/** What holds a twin: part of every result. */
export interface SandboxDescription {
  readonly driver: SandboxDriverName
  /** e.g. `runc`, `runsc`, `bwrap`; undefined without a driver. */
  readonly runtime: string | undefined
  /** `sha256:<hex>` of the image; undefined without one. */
  readonly imageDigest: string | undefined
  /** By snake_case name with the unit last, e.g. `memory_bytes`, `pids`, `timeout_ms`. */
  readonly limits: Readonly<Record<string, number>>
  /** Why a better driver is not used, for people. */
  readonly notes: readonly string[]
}

/** What was seen from outside of the twin: what it cannot forge. */
export interface OutsideMeasurement {
  readonly wallMs: number
  /** undefined where the driver cannot tell. */
  readonly cpuMs: number | undefined
  readonly memoryPeakBytes: number | undefined
  readonly exitCode: number | undefined
  readonly timedOut: boolean
  readonly outOfMemory: boolean
}

export interface SandboxRun {
  /** undefined where the twin gave none: it was killed, crashed or spoke nonsense. */
  readonly answer: TwinAnswer | undefined
  readonly outside: OutsideMeasurement
  readonly sandbox: SandboxDescription
}

export interface SandboxPool {
  readonly ready: number
  readonly busy: number
  readonly replaced: number
}

export interface PanicReport {
  /** True when nothing of Sentinel is left. */
  readonly isClean: boolean
  readonly destroyed: number
  /** What could not be destroyed or checked, in words. */
  readonly left: readonly string[]
}

/** Runs twins in isolation. Nothing that it starts outlives `close`. */
export interface Sandbox {
  describe(): SandboxDescription
  /**
   * Runs one payload in a process that is used once, and kills it from outside at `timeoutMs`.
   * @throws SandboxUnavailableError (retryable) without a driver, SandboxPanickedError after a panic
   */
  run(
    request: TwinRequest,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<SandboxRun>
  pool(): Readonly<Record<string, SandboxPool>>
  /** Destroys everything by label at once and refuses new runs until `resume`. */
  panic(reason: string): Promise<PanicReport>
  resume(): Promise<void>
  isPanicked(): boolean
  close(): Promise<void>
}

/** What the audit log knows; every entry is chained to the one before. */
export interface AuditEntry {
  /** 1, 2, ... without a gap. */
  readonly sequence: number
  /** ISO 8601 */
  readonly timestamp: string
  readonly event_type: string
  readonly data: Readonly<Record<string, unknown>>
  /** sha256 (hex) of the entry before; 64 zeros for the first. */
  readonly previous: string
  /** sha256 (hex) of this entry without `hash`, as canonical JSON. */
  readonly hash: string
}

/** Where a chain ends; an empty one has the count 0 and 64 zeros. */
export interface AuditHead {
  readonly count: number
  /** sha256 (hex) of the newest entry. */
  readonly hash: string
}

/** Keeps the head apart from the log, so that a log cut at its end is noticed. */
export interface AuditHeadStore {
  /** undefined before the first write. */
  read(): AuditHead | undefined
  /** Resolves once durable. @throws UnavailableError */
  write(head: AuditHead): Promise<void>
}

/** Append-only. An entry is durable when `append` resolves. */
export interface AuditLog {
  /** @throws UnavailableError where it cannot be written; nothing of it remains then */
  append(eventType: string, data: Readonly<Record<string, unknown>>): Promise<AuditEntry>
  head(): AuditHead
  /** Newest last, at most `limit` (1..1000). */
  tail(limit: number): Promise<readonly AuditEntry[]>
  close(): Promise<void>
}

/** The WAF. One call is one request. @throws UnavailableError, GatekeeperRefusedError */
export interface Gatekeeper {
  /** The enabled rules alone, those of others among them. */
  list(): Promise<readonly Rule[]>
  /** Disabled rules too. */
  get(ruleId: string): Promise<Rule | undefined>
  create(rule: Rule): Promise<"created" | "exists">
  remove(ruleId: string): Promise<"removed" | "absent">
  toggle(ruleId: string, enabled: boolean): Promise<void>
}

/** Every rule that was ever made, with its state. A rule decided there is a rule to be delivered. */
export interface RuleStore {
  /** Keeps a new rule, or answers with the one of that id that is held. Resolves once durable. */
  add(rule: StoredRule): Promise<StoredRule>
  /**
   * Replaces a rule by what `change` makes of it, alone with it; undefined leaves it as it is.
   * @throws RuleUnknownError, and what `change` throws
   */
  update(ruleId: string, change: (held: StoredRule) => StoredRule | undefined): Promise<StoredRule>
  get(ruleId: string): StoredRule | undefined
  /** Newest first. */
  query(query: {
    readonly state?: RuleState
    readonly limit: number
    readonly cursor?: string
  }): Page<StoredRule>
  counts(): Readonly<Record<RuleState, number>>
  /** All of the states, in no order. */
  inStates(states: readonly RuleState[]): readonly StoredRule[]
  /** Tells this store's rules in Gatekeeper from those of another Sentinel; never changes. */
  instanceId(): Promise<string>
  close(): Promise<void>
}
