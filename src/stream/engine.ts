import { SentinelError } from "../errors.ts"
import type { Clock } from "../ports.ts"
import { backoffMs, DEFAULT_RETRY, type RetryPolicy } from "./backoff.ts"
import { type Dataflow, leaves } from "./dataflow.ts"
import { Executor } from "./execute.ts"
import { EngineSuspectError, OperatorFailure } from "./failures.ts"
import { type Entry, Partition, type PartitionLimits } from "./partition.ts"
import type {
  DeadLetter,
  DeadLetterSink,
  EngineObserver,
  OperatorContext,
  PartitionId,
  RecordOutcome,
  Source,
  SourceListener,
  SourceRecord,
} from "./types.ts"

export interface EngineParts {
  readonly flow: Dataflow<SourceRecord, unknown>
  readonly sources: readonly Source[]
  readonly deadLetters: DeadLetterSink
  readonly clock: Clock
  readonly observer: EngineObserver
  /** Uniform in [0, 1); a seeded one makes a run repeatable. */
  readonly random: () => number
}

export interface EngineLimits extends PartitionLimits {
  /** How often finished offsets are committed. */
  readonly commitIntervalMs: number
  /** What a revoked partition leaves its records in flight before they are abandoned. */
  readonly revokeTimeoutMs: number
  /** Unexpected failures in a row, of distinct records, after which the process stops. */
  readonly suspectAfter: number
  readonly retry: RetryPolicy
}

export const DEFAULT_LIMITS: EngineLimits = {
  inFlightMax: 64,
  bufferedMax: 512,
  bufferedBytesMax: 64 * 1_048_576,
  commitIntervalMs: 500,
  revokeTimeoutMs: 5_000,
  suspectAfter: 20,
  retry: DEFAULT_RETRY,
}

export interface PartitionStats {
  readonly id: PartitionId
  readonly inFlight: number
  readonly buffered: number
  readonly held: boolean
  readonly committed: bigint | undefined
}

/**
 * Runs a flow over its sources.
 *
 * Promise: a record's offset is committed only after its sinks, or the dead-letter sink, have
 * acknowledged it and every record before it; so a crash at any instant repeats records and loses
 * none. Records of one key keep their order; partitions do not hold each other up.
 */
export class Engine {
  readonly #parts: EngineParts
  readonly #limits: EngineLimits
  readonly #executor: Executor
  readonly #partitions = new Map<string, Partition>()
  readonly #finished = Promise.withResolvers<void>()
  readonly #committing = new AbortController()
  #running = 0
  #openSources: number
  #stopping = false
  #unexpectedInRow = 0
  #commits: Promise<void> = Promise.resolve()

  constructor(parts: EngineParts, limits: Partial<EngineLimits> = {}) {
    this.#parts = parts
    this.#limits = { ...DEFAULT_LIMITS, ...limits }
    this.#openSources = parts.sources.length
    this.#executor = new Executor(parts.flow, { ...parts, retry: this.#limits.retry })
    this.#finished.promise.catch(() => undefined)
  }

  /** Resolves once every finite source has ended and is committed; rejects if it cannot go on. */
  get finished(): Promise<void> {
    return this.#finished.promise
  }

  /** @throws what the first source that cannot start throws */
  async start(): Promise<void> {
    void this.#commitForever()
    await Promise.all(this.#parts.sources.map((source) => source.start(this.#listenerFor(source))))
  }

  /** Takes no more records, finishes those in flight within `timeoutMs`, commits and closes. */
  async drain(timeoutMs: number): Promise<void> {
    this.#stopping = true
    const { sources, clock, flow, deadLetters } = this.#parts
    await Promise.all(sources.map((source) => source.stop()))
    const partitions = [...this.#partitions.values()]
    for (const partition of partitions) partition.dropWaiting()
    await settleWithin(partitions, { clock, timeoutMs })
    this.#committing.abort()
    await this.#commitAll()
    await Promise.all(sources.map((source) => source.close()))
    for (const leaf of leaves(flow.steps)) if ("write" in leaf) await leaf.close?.()
    await deadLetters.close?.()
    this.#finished.resolve()
  }

  stats(): readonly PartitionStats[] {
    return [...this.#partitions.values()].map(({ id, inFlight, buffered, held, committed }) => ({
      id,
      inFlight,
      buffered,
      held,
      committed,
    }))
  }

  /** Records inside and waiting before each operator and sink. */
  operatorStats(): readonly { operator: string; inside: number; waiting: number }[] {
    return [...this.#executor.runners.values()].map(({ operator, gate }) => ({
      operator: operator.name,
      inside: gate.inside,
      waiting: gate.waiting,
    }))
  }

  #listenerFor(source: Source): SourceListener {
    return {
      assigned: (id) => this.#assign(source, id),
      revoked: (id) => this.#revoke(id),
      record: (record) => this.#offer(source, record),
      ended: () => {
        this.#openSources -= 1
        void this.#finishIfDone()
      },
      failed: (error) => this.#finished.reject(error),
    }
  }

  #assign(source: Source, id: PartitionId): Partition {
    const partition = new Partition(id, source, this.#limits)
    this.#partitions.set(partitionKey(id), partition)
    return partition
  }

  async #revoke(id: PartitionId): Promise<void> {
    const partition = this.#partitions.get(partitionKey(id))
    if (partition === undefined) return
    partition.dropWaiting()
    const { revokeTimeoutMs } = this.#limits
    await settleWithin([partition], { clock: this.#parts.clock, timeoutMs: revokeTimeoutMs })
    await this.#commit(partition)
    if (this.#partitions.get(partitionKey(id)) === partition) {
      this.#partitions.delete(partitionKey(id))
    }
  }

  #offer(source: Source, record: SourceRecord): boolean {
    const key = partitionKey(record)
    const partition = this.#partitions.get(key) ?? this.#assign(source, record)
    partition.offer(record)
    this.#pump(partition)
    return !partition.held
  }

  /** Starts what may start, and lets the source go on once there is room again. */
  #pump(partition: Partition): void {
    if (this.#stopping || partition.signal.aborted) return
    for (let entry = partition.take(); entry !== undefined; entry = partition.take()) {
      void this.#process(partition, entry)
    }
    if (partition.release()) partition.source.resume(partition.id)
  }

  async #process(partition: Partition, entry: Entry): Promise<void> {
    this.#running += 1
    const startedMs = performance.now()
    const outcome = await this.#carry(entry.record, partition.signal)
    this.#running -= 1
    partition.settle(entry, outcome !== "abandoned")
    const seconds = (performance.now() - startedMs) / 1_000
    this.#parts.observer.recordDone(entry.record, outcome, seconds)
    this.#pump(partition)
    if (this.#openSources === 0) void this.#finishIfDone()
  }

  async #carry(record: SourceRecord, signal: AbortSignal): Promise<RecordOutcome> {
    const context: OperatorContext = {
      key: record.key ?? "",
      eventTimeMs: record.timestampMs,
      record,
      signal,
    }
    try {
      await this.#executor.run(record, context)
      this.#unexpectedInRow = 0
      return "done"
    } catch (error) {
      if (signal.aborted) return "abandoned"
      return await this.#buryOrAbandon(record, asFailure(error), signal)
    }
  }

  async #buryOrAbandon(
    record: SourceRecord,
    failure: OperatorFailure,
    signal: AbortSignal,
  ): Promise<RecordOutcome> {
    const letter: DeadLetter = {
      code: failure.code,
      operator: failure.operator,
      message: failure.publicMessage,
      attempts: failure.attempts,
      record,
      failedAtMs: this.#parts.clock.nowMs(),
    }
    if (!(await this.#bury(letter, signal))) return "abandoned"
    this.#countUnexpected(failure)
    return "dead_letter"
  }

  /** Tries until the letter is durable: giving up would lose the record. False once abandoned. */
  async #bury(letter: DeadLetter, signal: AbortSignal): Promise<boolean> {
    const { deadLetters, observer, clock, random } = this.#parts
    for (let attempt = 1; !signal.aborted; attempt += 1) {
      try {
        await deadLetters.write(letter)
        observer.deadLettered(letter)
        return true
      } catch (error) {
        observer.retried(deadLetters.name, error instanceof SentinelError ? error.code : "INTERNAL")
        const waitMs = backoffMs(attempt, this.#limits.retry, random)
        await clock.sleep(waitMs, signal).catch(() => undefined)
      }
    }
    return false
  }

  #countUnexpected(failure: OperatorFailure): void {
    if (failure.cause instanceof SentinelError) {
      this.#unexpectedInRow = 0
      return
    }
    this.#unexpectedInRow += 1
    if (this.#unexpectedInRow < this.#limits.suspectAfter) return
    this.#finished.reject(new EngineSuspectError(this.#unexpectedInRow, failure.cause))
  }

  async #finishIfDone(): Promise<void> {
    const waiting = [...this.#partitions.values()].some((partition) => partition.buffered > 0)
    if (this.#openSources > 0 || this.#running > 0 || waiting) return
    await this.#commitAll()
    this.#finished.resolve()
  }

  async #commitForever(): Promise<void> {
    const { signal } = this.#committing
    while (!signal.aborted) {
      const tick = this.#parts.clock.sleep(this.#limits.commitIntervalMs, signal)
      await tick.catch(() => undefined)
      if (!signal.aborted) await this.#commitAll()
    }
  }

  /** One commit at a time: a later one must not be overtaken by an earlier one. */
  #commitAll(): Promise<void> {
    this.#commits = this.#commits.then(async () => {
      const partitions = [...this.#partitions.values()]
      await Promise.all(partitions.map((partition) => this.#commit(partition)))
    })
    return this.#commits
  }

  /** A failed commit is tried again at the next tick: until then the records may repeat. */
  async #commit(partition: Partition): Promise<void> {
    const next = partition.watermark.next
    if (next === undefined || next === partition.committed) return
    try {
      await partition.source.commit(partition.id, next)
      partition.committed = next
      this.#parts.observer.committed(partition.id, next)
    } catch (error) {
      const code = error instanceof SentinelError ? error.code : "INTERNAL"
      this.#parts.observer.retried(`${partition.source.name}.commit`, code)
    }
  }
}

/** What an abandoned record may take to notice; its next step is refused in any case. */
const ABANDON_GRACE_MS = 1_000

/** Waits for the records in flight; those that are not finished in time are abandoned. */
async function settleWithin(
  partitions: readonly Partition[],
  { clock, timeoutMs }: { clock: Clock; timeoutMs: number },
): Promise<void> {
  const done = new AbortController()
  const idle = Promise.all(partitions.map((partition) => partition.whenIdle()))
  const atMost = (ms: number) => clock.sleep(ms, done.signal).catch(() => undefined)
  await Promise.race([idle, atMost(timeoutMs)])
  for (const partition of partitions) partition.abandon()
  await Promise.race([idle, atMost(ABANDON_GRACE_MS)])
  done.abort()
}

function partitionKey({ topic, partition }: PartitionId): string {
  return `${topic}/${partition}`
}

/** Errors outside operators (a branch without an arm) are the engine's own. */
function asFailure(error: unknown): OperatorFailure {
  return error instanceof OperatorFailure ? error : new OperatorFailure("engine", 1, error)
}
