import { PartitionLostError } from "../errors.ts"
import type { Clock } from "../ports.ts"
import { codeOf } from "./burial.ts"
import type { Partition, Progress } from "./partition.ts"
import type { EngineObserver, Publisher } from "./types.ts"

export interface DeliveryParts {
  readonly clock: Clock
  readonly observer: EngineObserver
  readonly publisher: Publisher | undefined
  /** The shortest time between two sends of a partition's messages; the first goes at once. */
  readonly sendIntervalMs: number
  /** The partition's messages are out: it may take more records. */
  readonly onSent: (partition: Partition) => void
  /** It is not known, or not ours any more, how far the partition got. */
  readonly onLost: (partition: Partition) => void
}

/**
 * Sends what partitions have finished, and commits it.
 *
 * A transactional source sends messages and offset in one transaction. Of any other the messages are
 * published first, so that a crash in between repeats them and loses none.
 */
export class Delivery {
  readonly #parts: DeliveryParts

  constructor(parts: DeliveryParts) {
    this.#parts = parts
  }

  /** What comes alone is sent at once; under load many records share a request or transaction. */
  schedule(partition: Partition): void {
    if (partition.isCrowded && !partition.isSending) void this.#send(partition)
    else if (partition.outgoing > 0 && partition.scheduleSend()) void this.#sendSoon(partition)
  }

  commit(partition: Partition): Promise<void> {
    return this.#advance(partition, (progress) => this.#sendAndCommit(partition, progress))
  }

  async #sendSoon(partition: Partition): Promise<void> {
    const { clock, sendIntervalMs } = this.#parts
    const dueMs = sendTimeMs(partition.lastSentMs, sendIntervalMs)
    if (dueMs > clock.nowMs()) await clock.sleep(dueMs - clock.nowMs())
    partition.sendStarted()
    await this.#send(partition)
  }

  async #send(partition: Partition): Promise<void> {
    partition.isSending = true
    partition.lastSentMs = this.#parts.clock.nowMs()
    if (partition.source.transactional) await this.commit(partition)
    else await this.#advance(partition, (progress) => this.#publish(partition, progress))
    partition.isSending = false
  }

  /** What failed is tried again at the next tick: until then the records may repeat. */
  async #advance(partition: Partition, work: (progress: Progress) => Promise<void>): Promise<void> {
    try {
      await partition.advance(work)
    } catch (error) {
      this.#parts.observer.retried(`${partition.source.name}.commit`, codeOf(error))
      if (!(error instanceof PartitionLostError)) return
      this.#parts.onLost(partition)
    }
  }

  async #sendAndCommit(partition: Partition, progress: Progress): Promise<void> {
    const { source, id } = partition
    const { observer } = this.#parts
    const { next, messages } = progress
    if (!source.transactional) await this.#publish(partition, progress)
    await source.commit(id, next, source.transactional ? messages : undefined)
    progress.committed()
    observer.committed(id, next)
    if (!source.transactional) return
    this.#sent(partition, progress)
    observer.transacted?.(id, messages)
  }

  async #publish(partition: Partition, progress: Progress): Promise<void> {
    if (progress.messages.length === 0) return
    await this.#parts.publisher?.publish(progress.messages)
    this.#sent(partition, progress)
  }

  #sent(partition: Partition, { messages, sent }: Progress): void {
    sent()
    if (messages.length > 0) this.#parts.onSent(partition)
  }
}

/** At multiples of the interval, so that what several partitions send can share a request. */
function sendTimeMs(lastMs: number, intervalMs: number): number {
  return Math.floor((lastMs + intervalMs) / intervalMs) * intervalMs
}
