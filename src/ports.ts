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
  Verdict,
  VerdictWord,
} from "./events.ts"

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
