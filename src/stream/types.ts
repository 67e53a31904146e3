/** The nouns of the engine. It knows nothing of evidence, models or Kafka. */

/** A record as a source read it; `value` holds the original bytes, which a dead letter keeps. */
export interface SourceRecord {
  readonly topic: string
  readonly partition: number
  /** Ascending within a partition; gaps are allowed. */
  readonly offset: bigint
  readonly key: string | null
  readonly value: Uint8Array
  readonly headers: Readonly<Record<string, string>>
  /** Event time where the source knows it, else time of arrival; epoch milliseconds. */
  readonly timestampMs: number
  readonly receivedAtMs: number
}

export interface OperatorContext {
  /** Records of one key are processed one after the other, in source order. */
  readonly key: string
  readonly eventTimeMs: number
  readonly record: SourceRecord
  /** Pass to every I/O call: aborted at the operator's timeout and when draining gives up. */
  readonly signal: AbortSignal
}

/** One in, one out; stateless; knows nothing of offsets, retries or metrics. */
export interface Operator<in In, out Out> {
  /** snake_case verb, unique in its flow. */
  readonly name: string
  /** How many calls may be inside at once; default 1, so a wider limit is always written down. */
  readonly concurrency?: number
  readonly timeoutMs?: number
  /** What a failure means for the verdict; printed by `topology`. Default "closed". */
  readonly onFailure?: "closed" | "degraded"
  process(input: In, context: OperatorContext): Promise<Out> | Out
  /** Takes several records at once where they have come together; see BatchOptions. */
  readonly batch?: BatchOptions<In, Out>
}

/** Micro-batching: a record that comes alone is never kept waiting for company. */
export interface BatchOptions<in In, out Out> {
  readonly sizeMax: number
  /** How long a batch with at least two records waits to fill; default 0. */
  readonly lingerMs?: number
  /** Where batches run, as `topology` prints it, e.g. "in 2 threads". */
  readonly where?: string
  /**
   * One output for each input, in order. What is undefined runs again, alone and by the operator's own
   * `process`; after an error all of them do.
   */
  process(
    inputs: readonly In[],
    signal: AbortSignal,
  ): Promise<readonly (Out | undefined)[]> | readonly (Out | undefined)[]
}

/** What a message sink makes of a record: sent before, or together with, the record's offset. */
export interface OutgoingMessage {
  readonly topic: string
  readonly key: string | null
  readonly value: string
  readonly headers?: Readonly<Record<string, string>>
}

/** The last step of a record. */
export type Sink<In> = WritingSink<In> | MessageSink<In>

/** Writes each record by itself. */
export interface WritingSink<in In> {
  readonly name: string
  readonly guarantee: "exactly-once" | "idempotent" | "at-least-once"
  /** How many records may be inside at once; default 1. */
  readonly concurrency?: number
  /** Resolves once what it was given is durable. */
  write(input: In, context: OperatorContext): Promise<void>
  close?(): Promise<void>
}

/**
 * Says what is to be sent; the engine stages it with the record and sends many at once, in the order
 * of the offsets: a transactional source exactly once, together with them, else the engine's publisher
 * at least once, before they are committed.
 */
export interface MessageSink<in In> {
  readonly name: string
  /** @throws SentinelError, permanent: the record becomes a dead letter */
  message(input: In): OutgoingMessage
}

/** Sends what no transaction of a source carries. */
export interface Publisher {
  /**
   * Resolves once all are durable, those of one key in order. A failed call may have sent some of
   * them: the engine calls again with the same messages and possibly more.
   */
  publish(messages: readonly OutgoingMessage[]): Promise<void>
  close(): Promise<void>
}

export interface DeadLetter {
  readonly code: string
  readonly operator: string
  readonly message: string
  readonly attempts: number
  readonly record: SourceRecord
  readonly failedAtMs: number
}

/** Names, on a record that was put back where it came from, the dead letter that it was. */
export const REDRIVE_HEADER = "sentinel-redrive"

/**
 * open: never put back. redriven: put back, its outcome not seen yet. resolved: it went through.
 * failed_again: it became a dead letter once more.
 */
const DEAD_LETTER_STATES = ["open", "redriven", "resolved", "failed_again"] as const
export type DeadLetterState = (typeof DEAD_LETTER_STATES)[number]

/** A letter as it was first written, and what became of it. */
export interface StoredDeadLetter extends DeadLetter {
  /** sha256 (hex) of the topic, a NUL and the value: one per distinct failed record. */
  readonly id: string
  readonly state: DeadLetterState
  /** How often it was put back. */
  readonly redrives: number
  readonly redrivenAtMs?: number
  /** When the state became resolved or failed_again. */
  readonly settledAtMs?: number
  /** Why it failed last, where that was after a redrive. */
  readonly lastFailure?: Omit<DeadLetter, "record">
}

export interface DeadLetterQuery {
  /** Only letters whose last failure has this code. */
  readonly code?: string
  /** Only first failures at or after this time; epoch milliseconds. */
  readonly sinceMs?: number
  /** 1..1000 */
  readonly limit: number
  readonly cursor?: string
}

/** Where dead letters go: only when all such sinks have them may the record's offset be committed. */
export type DeadLetterSink = WritingSink<DeadLetter>

export interface PartitionId {
  readonly topic: string
  readonly partition: number
}

/** `topic/partition`: how a partition is named in maps, metrics and logs. */
export function partitionKey({ topic, partition }: PartitionId): string {
  return `${topic}/${partition}`
}

/** The engine's ear; a source calls it. */
export interface SourceListener {
  /** The partition is ours from here on; its records follow, from the last committed offset. */
  assigned(partition: PartitionId): void
  /** Resolves once none of its records is in flight and what is finished is committed. */
  revoked(partition: PartitionId): Promise<void>
  /** Takes the record always; false asks the source to hold this partition until `resume`. */
  record(record: SourceRecord): boolean
  /** A finite source has no more records. */
  ended(): void
  /** The source cannot go on: the process must stop with this error. */
  failed(error: unknown): void
}

export interface Source {
  readonly name: string
  /** True where `commit` also sends messages, all or nothing with the offset. */
  readonly transactional?: boolean
  /** Resolves once the source is reading (or has learnt that it cannot: it rejects). */
  start(listener: SourceListener): Promise<void>
  pause(partition: PartitionId): void
  resume(partition: PartitionId): void
  /**
   * Every offset below `nextOffset` is finished. Resolves once that is durable.
   *
   * A transactional source sends `messages`, in order, in the same transaction. After any other
   * failure than PartitionLostError, nothing of it took effect: the engine calls again with the same
   * messages and possibly more.
   * @throws PartitionLostError when the partition has another owner, or when it is not known whether
   *   the transaction took effect: the source then delivers again from what is committed
   */
  commit(
    partition: PartitionId,
    nextOffset: bigint,
    messages?: readonly OutgoingMessage[],
  ): Promise<void>
  /** No records after this resolves; `commit` still works. */
  stop(): Promise<void>
  close(): Promise<void>
}

export type RecordOutcome = "done" | "dead_letter" | "abandoned"

/** What the engine tells whoever counts: called on the hot path, so it must be cheap and not throw. */
export interface EngineObserver {
  operatorDone(operator: string, outcome: "ok" | "failed", seconds: number): void
  retried(operator: string, code: string): void
  deadLettered(letter: DeadLetter): void
  recordDone(record: SourceRecord, outcome: RecordOutcome, seconds: number): void
  batched?(operator: string, size: number): void
  committed(partition: PartitionId, nextOffset: bigint): void
  /** The commit was a transaction and sent these. */
  transacted?(partition: PartitionId, messages: readonly OutgoingMessage[]): void
  partitionChanged?(partition: PartitionId, event: "assigned" | "revoked" | "lost"): void
}
