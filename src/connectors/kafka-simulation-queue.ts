import { MalformedError } from "../errors.ts"
import type {
  SimulationDepth,
  SimulationLease,
  SimulationQueue,
  SimulationTask,
} from "../ports/simulation-queue.ts"
import type { Clock } from "../ports.ts"
import type { OutgoingMessage, PartitionId, SourceListener, SourceRecord } from "../stream/types.ts"
import { partitionKey } from "../stream/types.ts"
import type { Kafka } from "./kafka-client.ts"
import { groupOffsets } from "./kafka-offsets.ts"
import { KafkaPublisher } from "./kafka-publisher.ts"
import { type KafkaSource, kafkaSource } from "./kafka-source.ts"

export const SIMULATION_TOPIC = "sentinel.simulations"

export interface KafkaSimulationOptions {
  /** Of those that take tasks; another group would simulate everything once more. */
  readonly groupId: string
  readonly clock: Pick<Clock, "nowMs">
  readonly topic?: string
  /** Times that a task is handed out before it is dropped; default 5. */
  readonly deliveriesMax?: number
}

/** Tasks held in memory; a partition waits on the broker beyond it. */
const BUFFERED_MAX = 1_000
/** Event ids that are remembered, to know a task that comes twice. */
const REMEMBERED_MAX = 100_000

/** What `enqueue` sends; also staged by a sink of a transactional source. Key = session id. */
export function simulationMessage(
  task: SimulationTask,
  topic: string = SIMULATION_TOPIC,
): OutgoingMessage {
  return { topic, key: task.sessionId, value: JSON.stringify(task) }
}

/**
 * The queue as a topic. Bounded by the topic's own retention.
 *
 * The consumer joins its group at the first `take`. Priorities hold among the tasks in memory, at
 * most 1,000. A lease lives in memory and the lowest unfinished offset of a partition is committed,
 * so that a crash or a rebalance gives back what was not acknowledged. An event that comes twice is
 * recognised among the last 100,000 that this process has seen; after a restart it may come again.
 */
export function kafkaSimulationQueue(
  kafka: Kafka,
  options: KafkaSimulationOptions,
): SimulationQueue {
  return new TopicQueue(kafka, options)
}

interface Entry {
  readonly partition: PartitionId
  readonly offset: bigint
  readonly task: SimulationTask
  deliveries: number
}

interface Assigned {
  readonly id: PartitionId
  /** Offsets handed over, in order; true once finished. */
  readonly offsets: Map<bigint, boolean>
}

class TopicQueue implements SimulationQueue, SourceListener {
  readonly #kafka: Kafka
  readonly #options: KafkaSimulationOptions
  readonly #topicName: string
  readonly #publisher: KafkaPublisher
  readonly #assigned = new Map<string, Assigned>()
  readonly #leases = new Map<string, { readonly entry: Entry; readonly untilMs: number }>()
  readonly #seen = new Set<string>()
  readonly #held = new Set<string>()
  #waiting: Entry[] = []
  #source: KafkaSource | undefined
  #joined: Promise<void> | undefined
  #leaseCount = 0
  #dropped = 0

  constructor(kafka: Kafka, options: KafkaSimulationOptions) {
    this.#kafka = kafka
    this.#options = options
    this.#topicName = options.topic ?? SIMULATION_TOPIC
    this.#publisher = new KafkaPublisher(kafka, [{ topic: this.#topicName }])
  }

  /** Answers "new" always: whether the event is known shows only where it is taken. */
  async enqueue(task: SimulationTask): Promise<"new" | "same"> {
    await this.#publisher.publish([simulationMessage(task, this.#topicName)])
    return "new"
  }

  async take({ max, leaseMs }: { max: number; leaseMs: number }) {
    this.#joined ??= this.#join()
    await this.#joined
    const nowMs = this.#options.clock.nowMs()
    this.#returnExpired(nowMs)
    // stable, so equal priorities keep their order
    this.#waiting.sort((one, other) => other.task.priority - one.task.priority)
    const taken = this.#waiting.splice(0, Math.min(max, 100))
    this.#resumeHeld()
    return taken.map((entry) => this.#lease(entry, nowMs + leaseMs))
  }

  async ack(leaseId: string): Promise<boolean> {
    const entry = this.#end(leaseId)
    if (entry === undefined) return false
    await this.#finish(entry)
    return true
  }

  async release(leaseId: string): Promise<boolean> {
    const entry = this.#end(leaseId)
    if (entry === undefined) return false
    entry.deliveries -= 1
    this.#waiting.push(entry)
    return true
  }

  /**
   * `ready` is in offsets: the markers of transactions count, so it may be up to twice the tasks. What
   * other members of the group have leased counts as ready.
   */
  async depth(): Promise<SimulationDepth> {
    const offsets = await groupOffsets(this.#kafka, this.#options.groupId, this.#topicName)
    // what was committed may have been deleted since
    const unfinished = offsets.reduce((sum, { low, high, committed = low }) => {
      return sum + Number(high) - Math.max(Number(committed), Number(low))
    }, 0)
    const leased = this.#leases.size
    return { ready: Math.max(0, unfinished - leased), leased, dropped: this.#dropped }
  }

  async close(): Promise<void> {
    await Promise.all([this.#source?.close(), this.#publisher.close()])
  }

  assigned(id: PartitionId): void {
    this.#assigned.set(partitionKey(id), { id, offsets: new Map() })
  }

  /** Another member takes over what is not finished; leases on it are over. */
  async revoked(id: PartitionId): Promise<void> {
    const name = partitionKey(id)
    const isOthers = (entry: Entry) => partitionKey(entry.partition) === name
    for (const entry of this.#waiting.filter(isOthers)) this.#seen.delete(entry.task.eventId)
    this.#waiting = this.#waiting.filter((entry) => !isOthers(entry))
    for (const [leaseId, { entry }] of this.#leases) {
      if (!isOthers(entry)) continue
      this.#leases.delete(leaseId)
      this.#seen.delete(entry.task.eventId)
    }
    this.#assigned.delete(name)
    this.#held.delete(name)
  }

  record(record: SourceRecord): boolean {
    const { topic, partition, offset } = record
    const id = { topic, partition }
    this.#assigned.get(partitionKey(id))?.offsets.set(offset, false)
    const task = readTask(record)
    if (task === undefined) this.#dropped += 1
    if (task === undefined || !this.#remember(task.eventId)) {
      void this.#finishOffset(id, offset)
    } else {
      this.#waiting.push({ partition: id, offset, task, deliveries: 0 })
    }
    if (this.#waiting.length < BUFFERED_MAX) return true
    this.#held.add(partitionKey(id))
    return false
  }

  ended(): void {}

  /** The next `take` joins anew. */
  failed(): void {
    this.#joined = undefined
  }

  async #join(): Promise<void> {
    const { groupId } = this.#options
    try {
      await this.#source?.close()
      this.#source = kafkaSource(this.#kafka, { topics: [this.#topicName], groupId })
      await this.#source.start(this)
    } catch (error) {
      this.#joined = undefined
      throw error
    }
  }

  #lease(entry: Entry, untilMs: number): SimulationLease {
    entry.deliveries += 1
    this.#leaseCount += 1
    const id = `${partitionKey(entry.partition)}@${entry.offset}.${this.#leaseCount}`
    this.#leases.set(id, { entry, untilMs })
    return { id, task: entry.task, deliveries: entry.deliveries }
  }

  #returnExpired(nowMs: number): void {
    for (const [leaseId, { entry, untilMs }] of this.#leases) {
      if (untilMs >= nowMs) continue
      this.#leases.delete(leaseId)
      this.#giveBack(entry)
    }
  }

  #giveBack(entry: Entry): void {
    if (entry.deliveries < (this.#options.deliveriesMax ?? 5)) this.#waiting.push(entry)
    else {
      this.#dropped += 1
      void this.#finish(entry).catch(() => undefined)
    }
  }

  #end(leaseId: string): Entry | undefined {
    const lease = this.#leases.get(leaseId)
    this.#leases.delete(leaseId)
    return lease?.entry
  }

  #finish({ partition, offset }: Entry): Promise<void> {
    return this.#finishOffset(partition, offset)
  }

  /** Commits the lowest unfinished offset; one that fails is made good by the next. */
  async #finishOffset(id: PartitionId, offset: bigint): Promise<void> {
    const assigned = this.#assigned.get(partitionKey(id))
    if (assigned === undefined) return
    assigned.offsets.set(offset, true)
    let next: bigint | undefined
    for (const [passed, isFinished] of assigned.offsets) {
      if (!isFinished) break
      assigned.offsets.delete(passed)
      next = passed + 1n
    }
    if (next !== undefined) await this.#source?.commit(id, next).catch(() => undefined)
  }

  #resumeHeld(): void {
    if (this.#waiting.length >= BUFFERED_MAX / 2) return
    const held = [...this.#held]
    this.#held.clear()
    for (const name of held) {
      const assigned = this.#assigned.get(name)
      if (assigned !== undefined) this.#source?.resume(assigned.id)
    }
  }

  /** False for an event that was seen before. */
  #remember(eventId: string): boolean {
    if (this.#seen.has(eventId)) return false
    this.#seen.add(eventId)
    const [oldest] = this.#seen
    if (this.#seen.size > REMEMBERED_MAX && oldest !== undefined) this.#seen.delete(oldest)
    return true
  }
}

/** Undefined for what nobody here has written: it is passed over, and counted. */
function readTask(record: SourceRecord): SimulationTask | undefined {
  try {
    const task = JSON.parse(new TextDecoder().decode(record.value)) as SimulationTask
    if (typeof task?.eventId !== "string") throw new MalformedError("eventId", "a string")
    if (!(task.priority >= 0 && task.priority <= 9)) throw new MalformedError("priority", "0..9")
    return task
  } catch {
    return undefined
  }
}
