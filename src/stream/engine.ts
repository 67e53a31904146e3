import { SentinelError } from "../errors.ts"
import type { Clock } from "../ports.ts"
import { backoffMs, DEFAULT_RETRY, type RetryPolicy } from "./backoff.ts"
import { asFailure, burialFlow, codeOf, DEAD_LETTERS, letterOf } from "./burial.ts"
import { type Dataflow, leaves } from "./dataflow.ts"
import { Delivery } from "./delivery.ts"
import { Executor, type OperatorStats } from "./execute.ts"
import { EngineSuspectError, type OperatorFailure } from "./failures.ts"
import type { Journey } from "./journey.ts"
import { Partition, type PartitionLimits } from "./partition.ts"
import type { Maybe } from "./run-operator.ts"
import { settleWithin } from "./settle-within.ts"
import type {
  DeadLetter,
  EngineObserver,
  PartitionId,
  Publisher,
  RecordOutcome,
  Sink,
  Source,
  SourceListener,
  SourceRecord,
} from "./types.ts"
import { partitionKey } from "./types.ts"

export interface EngineParts {
  readonly flow: Dataflow<SourceRecord, unknown>
  readonly sources: readonly Source[]
  /** Written in order; all of them before a failed record counts as finished. */
  readonly deadLetters: readonly Sink<DeadLetter>[]
  /** Needed where message sinks meet a source that is not transactional. */
  readonly publisher?: Publisher | undefined
  readonly clock: Clock
  readonly observer: EngineObserver
  /** Uniform in [0, 1); a seeded one makes a run repeatable. */
  readonly random: () => number
}

export interface EngineLimits extends PartitionLimits {
  /** How often finished offsets are committed. */
  readonly commitIntervalMs: number
  /** The shortest time between two sends of a partition's messages; the first goes at once. */
  readonly sendIntervalMs: number
  /** What a revoked partition leaves its records in flight before they are abandoned. */
  readonly revokeTimeoutMs: number
  /** Unexpected failures in a row, of distinct records, after which the process stops. */
  readonly suspectAfter: number
  readonly retry: RetryPolicy
}

const DEFAULT_LIMITS: EngineLimits = {
  inFlightMax: 64,
  bufferedMax: 512,
  bufferedBytesMax: 64 * 1_048_576,
  unpassedMax: 1_024,
  commitIntervalMs: 500,
  sendIntervalMs: 100,
  revokeTimeoutMs: 5_000,
  suspectAfter: 20,
  retry: DEFAULT_RETRY,
}

export interface PartitionStats {
  readonly id: PartitionId
  readonly inFlight: number
  readonly buffered: number
  readonly held: boolean
  /** Milliseconds, since it was assigned. */
  readonly heldMs: number
  /** Records taken and not yet below the watermark. */
  readonly unfinished: number
  /** The time of the record that holds the watermark back; epoch milliseconds. */
  readonly oldestMs: number | undefined
  readonly committed: bigint | undefined
}

/**
 * Runs a flow over its sources.
 *
 * Promise: a record's offset is committed only after its sinks, or the dead-letter sinks, have
 * acknowledged it and every record before it; so a crash at any instant repeats records and loses
 * none. Messages of a transactional source are sent exactly once. Records of one key keep their
 * order; partitions do not hold each other up.
 */
export class Engine {
  readonly #parts: EngineParts
  readonly #limits: EngineLimits
  readonly #executor: Executor
  readonly #burial: Executor
  readonly #delivery: Delivery
  readonly #partitions = new Map<string, Partition>()
  #lastOffered: Partition | undefined
  readonly #finished = Promise.withResolvers<void>()
  readonly #committing = new AbortController()
  #running = 0
  #openSources: number
  #isStopping = false
  #unexpectedInRow = 0

  /** @throws Error for a publisher that is missing: see EngineParts */
  constructor(parts: EngineParts, limits: Partial<EngineLimits> = {}) {
    this.#parts = parts
    this.#limits = { ...DEFAULT_LIMITS, ...limits }
    this.#openSources = parts.sources.length
    const running = { ...parts, retry: this.#limits.retry }
    this.#executor = new Executor(parts.flow, running)
    this.#burial = new Executor(burialFlow(parts.deadLetters), running)
    this.#delivery = new Delivery({
      ...{ clock: parts.clock, observer: parts.observer, publisher: parts.publisher },
      sendIntervalMs: this.#limits.sendIntervalMs,
      onSent: (partition) => this.#goOn(partition),
      onLost: (partition) => this.#lose(partition),
    })
    this.#finished.promise.catch(() => undefined)
    if (lacksPublisher(parts)) throw new Error("message sinks need a publisher")
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
    this.#isStopping = true
    const { sources, clock, flow, deadLetters, publisher } = this.#parts
    await Promise.all(sources.map((source) => source.stop()))
    const partitions = [...this.#partitions.values()]
    for (const partition of partitions) partition.dropWaiting()
    await settleWithin(partitions, { clock, timeoutMs })
    this.#committing.abort()
    await this.#commitAll()
    await Promise.all(sources.map((source) => source.close()))
    for (const leaf of [...leaves(flow.steps), ...deadLetters]) {
      if ("write" in leaf) await leaf.close?.()
    }
    await publisher?.close()
    this.#finished.resolve()
  }

  stats(): readonly PartitionStats[] {
    return [...this.#partitions.values()].map((partition) => {
      const { id, inFlight, buffered, held, heldMs, unfinished, oldestMs, committed } = partition
      return { id, inFlight, buffered, held, heldMs, unfinished, oldestMs, committed }
    })
  }

  /** Records inside and waiting before each operator and sink. */
  operatorStats(): readonly OperatorStats[] {
    return this.#executor.operatorStats()
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
    this.#partitions.get(partitionKey(id))?.lose()
    this.#partitions.set(partitionKey(id), partition)
    this.#parts.observer.partitionChanged?.(id, "assigned")
    return partition
  }

  async #revoke(id: PartitionId): Promise<void> {
    const partition = this.#partitions.get(partitionKey(id))
    if (partition === undefined) return
    partition.dropWaiting()
    const { revokeTimeoutMs } = this.#limits
    await settleWithin([partition], { clock: this.#parts.clock, timeoutMs: revokeTimeoutMs })
    await this.#delivery.commit(partition)
    this.#parts.observer.partitionChanged?.(id, "revoked")
    // a commit that is still waiting for its moment must not follow the hand-over
    partition.lose()
    this.#drop(partition)
  }

  #lose(partition: Partition): void {
    this.#parts.observer.partitionChanged?.(partition.id, "lost")
    partition.lose()
    this.#drop(partition)
  }

  #drop(partition: Partition): void {
    const key = partitionKey(partition.id)
    if (this.#partitions.get(key) === partition) this.#partitions.delete(key)
  }

  #offer(source: Source, record: SourceRecord): boolean {
    const partition = this.#partitionOf(record) ?? this.#assign(source, record)
    partition.offer(record)
    this.#pump(partition)
    return !partition.held
  }

  /** Sources hand over many records of one partition in a row. */
  #partitionOf(record: SourceRecord): Partition | undefined {
    const { id, isLost } = this.#lastOffered ?? {}
    const isSame = id?.partition === record.partition && id.topic === record.topic
    if (!isSame || isLost) this.#lastOffered = this.#partitions.get(partitionKey(record))
    return this.#lastOffered
  }

  /** Starts what may start, and lets the source go on once there is room again. */
  #pump(partition: Partition): void {
    if (this.#isStopping || partition.signal.aborted) return
    for (let next = partition.take(); next !== undefined; next = partition.take()) {
      this.#process(partition, next)
    }
    if (partition.release()) partition.source.resume(partition.id)
  }

  /** A record whose steps all answer at once is finished, or buried, when this returns. */
  #process(partition: Partition, journey: Journey): void {
    this.#running += 1
    journey.startedMs = performance.now()
    const outcome = this.#carry(journey)
    if (outcome instanceof Promise) {
      void outcome.then((final) => this.#arrived(partition, journey, final))
    } else {
      this.#settle(partition, journey, outcome)
    }
  }

  #carry(journey: Journey): Maybe<RecordOutcome> {
    try {
      const output = this.#executor.run(journey.record, journey)
      if (!(output instanceof Promise)) return "done"
      return output.then(
        () => "done",
        (error) => this.#bury(asFailure(error), journey),
      )
    } catch (error) {
      return this.#bury(asFailure(error), journey)
    }
  }

  #arrived(partition: Partition, journey: Journey, outcome: RecordOutcome): void {
    this.#settle(partition, journey, outcome)
    this.#goOn(partition)
  }

  #goOn(partition: Partition): void {
    this.#pump(partition)
    if (this.#openSources === 0) void this.#finishIfDone()
  }

  #settle(partition: Partition, journey: Journey, outcome: RecordOutcome): void {
    this.#running -= 1
    if (outcome === "done") this.#unexpectedInRow = 0
    if (outcome === "abandoned") partition.forget(journey)
    else partition.finish(journey)
    const seconds = (performance.now() - journey.startedMs) / 1_000
    this.#parts.observer.recordDone(journey.record, outcome, seconds)
    this.#delivery.schedule(partition)
  }

  /** At once where the dead-letter sinks answer at once. */
  #bury(failure: OperatorFailure, journey: Journey): Maybe<RecordOutcome> {
    if (journey.signal.aborted) return "abandoned"
    const letter = letterOf(failure, journey.record, this.#parts.clock.nowMs())
    const buried = (): RecordOutcome => {
      this.#parts.observer.deadLettered(letter)
      this.#countUnexpected(failure)
      return "dead_letter"
    }
    const written = this.#writeLetter(letter, journey)
    if (!(written instanceof Promise)) return buried()
    const untilWritten = this.#untilWritten(written, letter, journey)
    return untilWritten.then((isWritten) => (isWritten ? buried() : "abandoned"))
  }

  #writeLetter(letter: DeadLetter, journey: Journey): Maybe<unknown> {
    // what a later step failed on must not go out beside its own dead letter
    journey.staged = undefined
    try {
      return this.#burial.run(letter, journey)
    } catch (error) {
      return Promise.reject(error)
    }
  }

  /** Tries until the letter is durable: giving up would lose the record. False once abandoned. */
  async #untilWritten(
    first: Promise<unknown>,
    letter: DeadLetter,
    journey: Journey,
  ): Promise<boolean> {
    const { observer, clock, random } = this.#parts
    for (let attempt = 1; !journey.signal.aborted; attempt += 1) {
      try {
        await (attempt === 1 ? first : this.#writeLetter(letter, journey))
        return true
      } catch (error) {
        observer.retried(DEAD_LETTERS, codeOf(error))
        const waitMs = backoffMs(attempt, this.#limits.retry, random)
        await clock.sleep(waitMs, journey.signal).catch(() => undefined)
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

  async #commitAll(): Promise<void> {
    const partitions = [...this.#partitions.values()]
    await Promise.all(partitions.map((partition) => this.#delivery.commit(partition)))
  }
}

/** Without one, the messages of a source that is not transactional would go nowhere. */
function lacksPublisher({ flow, deadLetters, sources, publisher }: EngineParts): boolean {
  const sinks = [...leaves(flow.steps), ...deadLetters]
  const isStaging = sinks.some((sink) => "message" in sink)
  return isStaging && publisher === undefined && sources.some((source) => !source.transactional)
}
