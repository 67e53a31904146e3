import { PartitionLostError } from "../errors.ts"
import type { PartitionId, Source, SourceListener } from "../stream/types.ts"
import {
  asKafkaError,
  type Consumer,
  closeWithin,
  type EachBatchPayload,
  ensureTopics,
  type Kafka,
} from "./kafka-client.ts"
import { KafkaPartition } from "./kafka-partition.ts"

export interface KafkaSourceOptions {
  /** Read at once by one consumer; created when missing. */
  readonly topics: readonly string[]
  readonly groupId: string
  /** After this silence the group gives the partitions to others; the broker's minimum is 6 s. */
  readonly sessionTimeoutMs?: number
  /** Bytes one fetch may bring per partition; what the engine cannot take yet waits here. */
  readonly fetchBytesMax?: number
}

const CLOSE_TIMEOUT_MS = 5_000

export interface PartitionLag extends PartitionId {
  /** Records not yet handed to the engine, as of the last fetch. */
  readonly records: bigint
}

export interface KafkaSource extends Source {
  /** Of the partitions held now that were fetched from at least once. */
  lag(): readonly PartitionLag[]
}

/**
 * Reads topics as a member of a consumer group, from the earliest offset where nothing is committed.
 *
 * Guarantee: at least once. Offsets are committed only by `commit`; a partition held by the engine
 * holds no other. On every change of the group all partitions are given back and taken anew, since
 * their positions return to the committed offsets; no record of the new assignment is handed over
 * before the engine has let go of the old one. kafkajs rejoins without waiting for that: another
 * member may already read what is still in flight here, so sinks must be idempotent.
 *
 * `start` rejects with UnavailableError when no broker answers. A broker lost later is waited for;
 * `failed` is called only for what no waiting can mend.
 */
export function kafkaSource(kafka: Kafka, options: KafkaSourceOptions): KafkaSource {
  return new GroupSource(kafka, options)
}

class GroupSource implements KafkaSource {
  readonly name = "kafka"
  readonly #kafka: Kafka
  readonly #consumer: Consumer
  readonly #topics: readonly string[]
  readonly #joined = Promise.withResolvers<void>()
  /** Those whose records are handed over; empty while the group is changing. */
  readonly #partitions = new Map<string, KafkaPartition>()
  /** What the group says is ours: the engine may commit it even while it is being given back. */
  #owned: ReadonlySet<string> = new Set()
  #generation = 0
  #revocations: Promise<unknown> = Promise.resolve()
  #listener: SourceListener | undefined
  #stopped = false

  constructor(kafka: Kafka, options: KafkaSourceOptions) {
    this.#kafka = kafka
    this.#topics = options.topics
    const sessionTimeout = options.sessionTimeoutMs ?? 10_000
    this.#consumer = kafka.consumer({
      groupId: options.groupId,
      sessionTimeout,
      heartbeatInterval: Math.floor(sessionTimeout / 5),
      rebalanceTimeout: 30_000,
      // short, because it also bounds how late a resumed partition is fetched again
      maxWaitTimeInMs: 100,
      maxBytesPerPartition: options.fetchBytesMax ?? 1_048_576,
      maxBytes: 8 * 1_048_576,
      allowAutoTopicCreation: false,
    })
    this.#joined.promise.catch(() => undefined)
  }

  async start(listener: SourceListener): Promise<void> {
    this.#listener = listener
    this.#listenToGroup()
    try {
      await ensureTopics(
        this.#kafka,
        this.#topics.map((topic) => ({ topic })),
      )
      await this.#consumer.connect()
      await this.#consumer.subscribe({ topics: [...this.#topics], fromBeginning: true })
      await this.#consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        eachBatch: async (payload) => this.#takeBatch(payload),
      })
      await this.#joined.promise
    } catch (error) {
      await this.close()
      throw asKafkaError(error)
    }
  }

  pause(id: PartitionId): void {
    this.#partitions.get(partitionKey(id))?.hold()
  }

  resume(id: PartitionId): void {
    this.#partitions.get(partitionKey(id))?.release()
  }

  async commit(id: PartitionId, nextOffset: bigint): Promise<void> {
    if (!this.#owned.has(partitionKey(id))) throw new PartitionLostError()
    try {
      await this.#consumer.commitOffsets([{ ...id, offset: nextOffset.toString() }])
    } catch (error) {
      throw asKafkaError(error)
    }
  }

  /** The membership stays, and with it the right to commit, until `close`. */
  async stop(): Promise<void> {
    this.#stopped = true
    for (const partition of this.#partitions.values()) partition.drop()
  }

  async close(): Promise<void> {
    this.#stopped = true
    await closeWithin(CLOSE_TIMEOUT_MS, this.#consumer.disconnect())
  }

  lag(): readonly PartitionLag[] {
    return [...this.#partitions.values()].flatMap(({ id, lag }) =>
      lag === undefined ? [] : [{ ...id, records: lag }],
    )
  }

  #listenToGroup(): void {
    const { on, events } = this.#consumer
    on(events.REBALANCING, () => this.#revokeAll())
    on(events.GROUP_JOIN, ({ payload }) => this.#assign(assignedPartitions(payload)))
    on(events.CRASH, ({ payload }) => this.#crashed(payload))
  }

  #takeBatch({ batch, resolveOffset }: EachBatchPayload): void {
    const partition = this.#partitions.get(partitionKey(batch))
    // not resolved: it is fetched again by whoever owns it then
    if (partition === undefined || this.#stopped) return
    resolveOffset(batch.lastOffset())
    try {
      partition.take(batch)
    } catch (error) {
      // thrown on, it would stop the consumer and leave the process idle
      this.#listener?.failed(error)
    }
  }

  #revokeAll(): void {
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
    this.#owned = new Set(ids.map(partitionKey))
    const fetched = ids.map(({ topic, partition }) => ({ topic, partitions: [partition] }))
    // now, before the first fetch: positions are read from the commits that revocation still makes
    this.#consumer.pause(fetched)
    await this.#revocations
    if (generation !== this.#generation || this.#stopped) return
    for (const id of ids) this.#handOver(id)
    this.#consumer.resume(fetched)
    this.#joined.resolve()
  }

  #handOver(id: PartitionId): void {
    const listener = this.#listener
    if (listener === undefined) return
    const fetched = [{ topic: id.topic, partitions: [id.partition] }]
    const partition = new KafkaPartition(id, listener, {
      pause: () => this.#consumer.pause(fetched),
      resume: () => this.#consumer.resume(fetched),
    })
    this.#partitions.set(partitionKey(id), partition)
    listener.assigned(id)
  }

  /** With `restart` the client reconnects by itself, which ends in another GROUP_JOIN. */
  #crashed({ error, restart }: { readonly error: Error; readonly restart: boolean }): void {
    this.#owned = new Set()
    this.#revokeAll()
    if (restart || this.#stopped) return
    const reason = asKafkaError(error)
    this.#joined.reject(reason)
    this.#listener?.failed(reason)
  }
}

function assignedPartitions(join: {
  readonly memberAssignment: Readonly<Record<string, readonly number[]>>
}): readonly PartitionId[] {
  return Object.entries(join.memberAssignment).flatMap(([topic, partitions]) =>
    partitions.map((partition) => ({ topic, partition })),
  )
}

function partitionKey({ topic, partition }: PartitionId): string {
  return `${topic}/${partition}`
}
