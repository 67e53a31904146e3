import { PartitionLostError, type SentinelError } from "../errors.ts"
import type { Clock } from "../ports.ts"
import type { OutgoingMessage, PartitionId, Source, SourceListener } from "../stream/types.ts"
import { partitionKey } from "../stream/types.ts"
import { ConsumerLiveness } from "./consumer-liveness.ts"
import {
  asKafkaError,
  type Consumer,
  closeWithin,
  type EachBatchPayload,
  ensureTopics,
  type Kafka,
} from "./kafka-client.ts"
import { earliestOffset, endOffsets } from "./kafka-offsets.ts"
import { KafkaPartition } from "./kafka-partition.ts"
import type { ProducedTopic } from "./kafka-requests.ts"
import { PartitionTransactions } from "./kafka-transactions.ts"
import { LagWatchdog, type Progress } from "./kafka-watchdog.ts"

export interface KafkaSourceOptions {
  /** Read at once by one consumer; created when missing. */
  readonly topics: readonly string[]
  readonly groupId: string
  /**
   * Makes the source transactional: these are the topics that its commits send to, created when
   * missing. One transactional id per input partition, named after group, topic and partition.
   */
  readonly produces?: readonly ProducedTopic[]
  /** After this silence the group gives the partitions to others; the broker's minimum is 6 s. */
  readonly sessionTimeoutMs?: number
  /** Bytes one fetch may bring per partition; what the engine cannot take yet waits here. */
  readonly fetchBytesMax?: number
  readonly watchdog?: WatchdogOptions
}

export interface WatchdogOptions {
  readonly clock: Clock
  /** A consumer that makes no progress for this long, in spite of lag, is rebuilt; default 60 s. */
  readonly stalledAfterMs?: number
  /** Default 5 s. */
  readonly checkEveryMs?: number
  /** Called for each rebuild, with the partitions (`topic/partition`) that stood still. */
  readonly onRebuilt: (stalled: readonly string[]) => void
}

const CLOSE_TIMEOUT_MS = 5_000
const SESSION_TIMEOUT_MS = 10_000
const ACQUIRE_RETRY_MS = 1_000

export interface PartitionLag extends PartitionId {
  /** Records not yet handed to the engine, as of the last fetch. */
  readonly records: bigint
}

export interface KafkaSource extends Source {
  /** Of the partitions held now that were fetched from at least once. */
  lag(): readonly PartitionLag[]
  /** False once the group has not been heard from for longer than a member may be silent. */
  isReachable(): boolean
}

/**
 * Reads topics as a member of a consumer group, from the earliest offset where nothing is committed.
 *
 * Guarantee: with `produces`, exactly once: a commit sends messages and offset in one transaction, and
 * whoever takes a partition over first fences its last owner, then reads from the committed offset.
 * Without, at least once: what the engine abandons, or a crash leaves uncommitted, another member reads again,
 * so sinks must be idempotent.
 *
 * A partition held by the engine holds no other. On every change of the group all partitions are given
 * back, and the group waits until they are; then they are taken anew: no record of the new assignment is handed over before the engine has let go of
 * the old one. A partition lost to a fence that the group still says is ours is taken anew likewise.
 *
 * `start` rejects with UnavailableError when no broker answers. A broker lost later is waited for;
 * `failed` is called only for what no waiting can mend.
 */
export function kafkaSource(kafka: Kafka, options: KafkaSourceOptions): KafkaSource {
  return new GroupSource(kafka, options)
}

class GroupSource implements KafkaSource {
  readonly name = "kafka"
  readonly transactional: boolean
  readonly #kafka: Kafka
  readonly #options: KafkaSourceOptions
  readonly #sessionTimeoutMs: number
  readonly #joined = Promise.withResolvers<void>()
  readonly #closing = new AbortController()
  readonly #transactions = new Map<string, PartitionTransactions>()
  /** Those whose records are handed over; empty while the group is changing. */
  readonly #partitions = new Map<string, KafkaPartition>()
  readonly #liveness: ConsumerLiveness
  #consumer: Consumer
  /** What the group says is ours: the engine may commit it even while it is being given back. */
  #owned: ReadonlySet<string> = new Set()
  #isMember = false
  #generation = 0
  #revocations: Promise<unknown> = Promise.resolve()
  #listener: SourceListener | undefined
  #stopped = false

  constructor(kafka: Kafka, options: KafkaSourceOptions) {
    this.#kafka = kafka
    this.#options = options
    this.transactional = options.produces !== undefined
    this.#sessionTimeoutMs = options.sessionTimeoutMs ?? SESSION_TIMEOUT_MS
    this.#liveness = new ConsumerLiveness(this.#sessionTimeoutMs)
    this.#consumer = this.#createConsumer()
    this.#joined.promise.catch(() => undefined)
  }

  async start(listener: SourceListener): Promise<void> {
    this.#listener = listener
    const { topics, produces = [], watchdog } = this.#options
    try {
      await ensureTopics(this.#kafka, [...topics.map((topic) => ({ topic })), ...produces])
      await this.#run(this.#consumer)
      await this.#joined.promise
    } catch (error) {
      await this.close()
      throw asKafkaError(error)
    }
    if (watchdog !== undefined) void this.#watch(watchdog)
  }

  pause(id: PartitionId): void {
    this.#partitions.get(partitionKey(id))?.hold()
  }

  resume(id: PartitionId): void {
    this.#partitions.get(partitionKey(id))?.release()
  }

  async commit(
    id: PartitionId,
    nextOffset: bigint,
    messages: readonly OutgoingMessage[] = [],
  ): Promise<void> {
    const key = partitionKey(id)
    if (!this.#owned.has(key)) throw new PartitionLostError()
    if (!this.transactional) return this.#commitOffset(id, nextOffset)
    const transactions = this.#transactions.get(key)
    if (transactions === undefined) throw new PartitionLostError()
    try {
      await transactions.commit(nextOffset, messages)
    } catch (error) {
      if (error instanceof PartitionLostError) this.#lose(id, transactions)
      throw error
    }
  }

  /** The membership stays, and with it the right to commit, until `close`. */
  async stop(): Promise<void> {
    this.#stopped = true
    for (const partition of this.#partitions.values()) partition.drop()
  }

  async close(): Promise<void> {
    this.#stopped = true
    this.#closing.abort()
    await Promise.all([
      closeWithin(CLOSE_TIMEOUT_MS, this.#consumer.disconnect()),
      this.#closeTransactions(),
    ])
  }

  lag(): readonly PartitionLag[] {
    return [...this.#partitions.values()].flatMap(({ id, lag }) =>
      lag === undefined ? [] : [{ ...id, records: lag }],
    )
  }

  isReachable(): boolean {
    return this.#liveness.isAlive
  }

  #createConsumer(): Consumer {
    const { groupId, fetchBytesMax } = this.#options
    return this.#kafka.consumer({
      groupId,
      sessionTimeout: this.#sessionTimeoutMs,
      heartbeatInterval: Math.floor(this.#sessionTimeoutMs / 5),
      rebalanceTimeout: 30_000,
      // short, because it also bounds how late a resumed partition is fetched again
      maxWaitTimeInMs: 100,
      maxBytesPerPartition: fetchBytesMax ?? 1_048_576,
      maxBytes: 8 * 1_048_576,
      allowAutoTopicCreation: false,
    })
  }

  async #run(consumer: Consumer): Promise<void> {
    this.#listenToGroup(consumer)
    await consumer.connect()
    await consumer.subscribe({ topics: [...this.#options.topics], fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachBatchAutoResolve: false,
      eachBatch: async (payload) => this.#takeBatch(consumer, payload),
    })
  }

  /** A consumer that was replaced says nothing any more. */
  #listenToGroup(consumer: Consumer): void {
    const { on, events } = consumer
    const isCurrent = () => consumer === this.#consumer
    this.#liveness.listen(consumer)
    on(events.REBALANCING, ({ payload }) => {
      if (!isCurrent()) return
      this.#revokeAll()
      payload.waitUntil(closeWithin(this.#sessionTimeoutMs, this.#revocations))
    })
    on(events.GROUP_JOIN, ({ payload }) => {
      if (isCurrent()) void this.#assign(assignedPartitions(payload))
    })
    on(events.CRASH, ({ payload }) => {
      if (isCurrent()) this.#crashed(payload)
    })
    // the only word of a fetch that held nothing but aborted messages and transaction markers
    on(events.END_BATCH_PROCESS, ({ payload }) => {
      if (payload.batchSize > 0 || !isCurrent()) return
      this.#partitions.get(partitionKey(payload))?.skip(BigInt(payload.lastOffset) + 1n)
    })
  }

  async #commitOffset(id: PartitionId, nextOffset: bigint): Promise<void> {
    try {
      await this.#consumer.commitOffsets([{ ...id, offset: nextOffset.toString() }])
    } catch (error) {
      throw asKafkaError(error)
    }
  }

  #takeBatch(consumer: Consumer, { batch, resolveOffset, isStale }: EachBatchPayload): void {
    const partition = this.#partitions.get(partitionKey(batch))
    // not resolved: it is fetched again by whoever owns it then
    if (partition === undefined || this.#stopped || isStale() || consumer !== this.#consumer) return
    resolveOffset(batch.lastOffset())
    try {
      partition.take(batch)
    } catch (error) {
      // thrown on, it would stop the consumer and leave the process idle
      this.#listener?.failed(error)
    }
  }

  #revokeAll(): void {
    this.#isMember = false
    const given = [...this.#partitions.values()]
    this.#partitions.clear()
    for (const partition of given) partition.drop()
    const revoked = given.map(({ id }) => this.#listener?.revoked(id))
    this.#revocations = Promise.all([this.#revocations, ...revoked])
  }

  async #assign(ids: readonly PartitionId[]): Promise<void> {
    this.#generation += 1
    const generation = this.#generation
    this.#revokeAll()
    this.#isMember = true
    this.#owned = new Set(ids.map(partitionKey))
    // now, before the first fetch: positions are read from the commits that revocation still makes
    for (const id of ids) this.#consumer.pause([fetchOf(id)])
    await this.#revocations
    if (generation !== this.#generation || this.#stopped) return
    this.#joined.resolve()
    if (!this.transactional) {
      for (const id of ids) this.#handOver(id)
      return
    }
    await this.#closeTransactions()
    await Promise.all(ids.map((id) => this.#acquire(id, generation)))
  }

  /** Fences the partition's last owner, then hands it over from where that one got to. */
  async #acquire(id: PartitionId, generation: number): Promise<void> {
    const { groupId, produces = [] } = this.#options
    const key = partitionKey(id)
    const isOwned = () => generation === this.#generation && this.#owned.has(key)
    const transactions = new PartitionTransactions({ kafka: this.#kafka, groupId, id, produces })
    while (isOwned() && !this.#stopped) {
      try {
        const from = (await transactions.acquire()) ?? (await earliestOffset(this.#kafka, id))
        if (!isOwned() || this.#stopped) break
        this.#transactions.set(key, transactions)
        this.#consumer.seek({ ...id, offset: from.toString() })
        this.#handOver(id, from)
        return
      } catch {
        await Bun.sleep(ACQUIRE_RETRY_MS)
      }
    }
    await transactions.close()
  }

  /**
   * Fenced by another owner, or a transaction that ended we do not know how. After a heartbeat the
   * group will have said whose the partition is; if it is ours still, it is taken anew.
   */
  #lose(id: PartitionId, transactions: PartitionTransactions): void {
    const key = partitionKey(id)
    if (this.#transactions.get(key) !== transactions) return
    this.#transactions.delete(key)
    void transactions.close()
    const partition = this.#partitions.get(key)
    if (partition === undefined) return
    partition.drop()
    this.#partitions.delete(key)
    const generation = this.#generation
    void Bun.sleep(this.#sessionTimeoutMs / 5).then(() => this.#acquire(id, generation))
  }

  #handOver(id: PartitionId, from?: bigint): void {
    const listener = this.#listener
    if (listener === undefined) return
    const fetching = {
      pause: () => this.#consumer.pause([fetchOf(id)]),
      resume: () => this.#consumer.resume([fetchOf(id)]),
    }
    const start = from === undefined ? {} : { from }
    const partition = new KafkaPartition(id, { listener, fetching, ...start })
    this.#partitions.set(partitionKey(id), partition)
    listener.assigned(id)
    fetching.resume()
  }

  async #closeTransactions(): Promise<void> {
    const closing = [...this.#transactions.values()].map((transactions) => transactions.close())
    this.#transactions.clear()
    await Promise.all(closing)
  }

  /** With `restart` the client reconnects by itself, which ends in another GROUP_JOIN. */
  #crashed({ error, restart }: { readonly error: Error; readonly restart: boolean }): void {
    this.#owned = new Set()
    this.#revokeAll()
    if (restart || this.#stopped) return
    const reason: SentinelError = asKafkaError(error)
    this.#joined.reject(reason)
    this.#listener?.failed(reason)
  }

  async #watch({ clock, stalledAfterMs, checkEveryMs, onRebuilt }: WatchdogOptions): Promise<void> {
    const watchdog = new LagWatchdog({
      clock,
      stalledAfterMs: stalledAfterMs ?? 60_000,
      checkEveryMs: checkEveryMs ?? 5_000,
      progress: () => this.#progress(),
      ends: () => endOffsets(this.#kafka, this.#options.topics),
      onStalled: async (names) => {
        onRebuilt(names)
        await this.#rebuild()
      },
    })
    await watchdog.watch(this.#closing.signal)
  }

  /** A consumer outside its group for as long as a stall may last has stalled, too. */
  #progress(): readonly Progress[] {
    if (!this.#isMember) return [{ name: "group", position: -1n, paused: this.#stopped }]
    return [...this.#partitions.values()].flatMap(({ id, reached, paused }) =>
      reached === undefined ? [] : [{ name: partitionKey(id), position: reached, paused }],
    )
  }

  /** What is finished is committed first, in so far as that still works. */
  async #rebuild(): Promise<void> {
    this.#revokeAll()
    await this.#revocations
    if (this.#stopped) return
    this.#owned = new Set()
    const stalled = this.#consumer
    this.#consumer = this.#createConsumer()
    void closeWithin(CLOSE_TIMEOUT_MS, stalled.disconnect())
    // a failure leaves it outside the group, which the next checks notice
    await this.#run(this.#consumer).catch(() => undefined)
  }
}

function assignedPartitions(join: {
  readonly memberAssignment: Readonly<Record<string, readonly number[]>>
}): readonly PartitionId[] {
  return Object.entries(join.memberAssignment).flatMap(([topic, partitions]) =>
    partitions.map((partition) => ({ topic, partition })),
  )
}

function fetchOf({ topic, partition }: PartitionId) {
  return { topic, partitions: [partition] }
}
