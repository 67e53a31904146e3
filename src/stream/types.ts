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
  readonly concurrency?: number
  readonly timeoutMs?: number
  /** What a failure means for the verdict; printed by `topology`. */
  readonly onFailure?: "closed" | "degraded"
  process(input: In, context: OperatorContext): Promise<Out> | Out
}

/** The last step of a record: resolves once what it was given is durable. */
export interface Sink<in In> {
  readonly name: string
  readonly guarantee: "exactly-once" | "idempotent" | "at-least-once"
  write(input: In, context: OperatorContext): Promise<void>
  close?(): Promise<void>
}

export interface DeadLetter {
  readonly code: string
  readonly operator: string
  readonly message: string
  readonly attempts: number
  readonly record: SourceRecord
  readonly failedAtMs: number
}

export interface DeadLetterSink {
  readonly name: string
  /** Resolves once durable; only then may the record's offset be committed. */
  write(letter: DeadLetter): Promise<void>
  close?(): Promise<void>
}
