import type {
  AnomalyScore,
  Classification,
  ExplainedVerdict,
  Features,
  PayloadKind,
  PayloadSpan,
  StoredObject,
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
  novelty(eventId: string, idempotencyKey: string): Novelty
  byEvent(eventId: string): ExplainedVerdict | undefined
  query(query: VerdictQuery): Page<ExplainedVerdict>
  count(): number
  close(): Promise<void>
}

export interface PayloadInput {
  readonly text: string
  readonly kind?: PayloadKind
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
  classify(input: PayloadInput): Classification
  /** Spans sorted by absolute weight; at most `spansMax` (default 8). */
  explain(input: PayloadInput, spansMax?: number): readonly Omit<PayloadSpan, "payload_id">[]
}

/** Judges the behaviour of a session. */
export interface AnomalyScorer {
  readonly info: ModelInfo
  /** Names of the features it reads; all others cannot move its score. */
  readonly featureNames: readonly string[]
  score(features: Features): AnomalyScore
}
