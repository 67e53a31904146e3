import { publicError } from "../errors.ts"
import type { SimulationLease, SimulationQueue } from "../ports/simulation-queue.ts"
import type { Clock } from "../ports.ts"
import type { PartitionId, Source, SourceListener, SourceRecord } from "../stream/types.ts"

export interface SimulationSourceOptions {
  /** Of the source and its only partition's topic. */
  readonly name: string
  readonly queue: Pick<SimulationQueue, "take" | "ack" | "release">
  readonly clock: Clock
  /** False while there is nothing to simulate in: then no task is taken, and all stay queued. */
  readonly isOpen: () => boolean
  /** Tasks taken and not finished; small, so that a sooner one need not wait for many. */
  readonly tasksMax: number
  /** Longer than any task can take. */
  readonly leaseMs: number
  /** Between two polls of an empty queue; default 500. */
  readonly pollMs?: number
  /** Told when the queue cannot be read; the source goes on trying. */
  readonly onProblem?: (error: ReturnType<typeof publicError>) => void
}

export interface SimulationSource extends Source {
  /**
   * The task of this record is done. A task is no offset: one that takes long holds no other back.
   * @throws UnavailableError
   */
  acknowledge(record: SourceRecord): Promise<void>
  /**
   * The task of this record goes back to its queue, and nothing more is taken for a while.
   * @throws UnavailableError
   */
  giveBack(record: SourceRecord): Promise<void>
  /** Something was queued: the next poll need not wait. */
  wake(): void
}

const BACKOFF_MS = { base: 1_000, cap: 60_000 }

/**
 * The queue of simulations as a source: one record a task, its value the task as JSON.
 *
 * A task is done when it is acknowledged, and then alone; what a crash leaves open comes back when its
 * lease is over, and what a stop leaves open at once.
 */
export function simulationSource(options: SimulationSourceOptions): SimulationSource {
  return new QueueSource(options)
}

class QueueSource implements SimulationSource {
  readonly name: string
  readonly #partition: PartitionId
  readonly #options: SimulationSourceOptions
  /** By offset, ascending. */
  readonly #leases = new Map<bigint, SimulationLease>()
  #listener: SourceListener | undefined
  #nextOffset = 0n
  #isHeld = false
  readonly #stopping = new AbortController()
  #polling: Promise<void> = Promise.resolve()
  /** Aborted to poll at once. */
  #pause = new AbortController()
  #failuresInRow = 0
  #resumesAtMs = 0

  constructor(options: SimulationSourceOptions) {
    this.name = options.name
    this.#partition = { topic: options.name, partition: 0 }
    this.#options = options
  }

  async start(listener: SourceListener): Promise<void> {
    this.#listener = listener
    listener.assigned(this.#partition)
    this.#polling = this.#pollUntilStopped()
  }

  pause(_partition: PartitionId): void {
    this.#isHeld = true
  }

  resume(_partition: PartitionId): void {
    this.#isHeld = false
    this.wake()
  }

  wake(): void {
    this.#pause.abort()
  }

  /** Nothing: each task is acknowledged by itself. */
  async commit(): Promise<void> {}

  async acknowledge({ offset }: SourceRecord): Promise<void> {
    const lease = this.#leases.get(offset)
    // a lease that is over by now comes again: the store knows its results
    if (lease !== undefined) await this.#options.queue.ack(lease.id)
    this.#leases.delete(offset)
    this.#failuresInRow = 0
    this.wake()
  }

  async giveBack({ offset }: SourceRecord): Promise<void> {
    const lease = this.#leases.get(offset)
    if (lease !== undefined) await this.#options.queue.release(lease.id)
    this.#leases.delete(offset)
    this.#backOff()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.wake()
    await this.#polling
  }

  async close(): Promise<void> {
    await this.stop()
    const open = [...this.#leases.values()]
    this.#leases.clear()
    await Promise.allSettled(open.map(({ id }) => this.#options.queue.release(id)))
  }

  async #pollUntilStopped(): Promise<void> {
    const { pollMs = 500 } = this.#options
    while (!this.#stopping.signal.aborted) {
      this.#pause = new AbortController()
      const took = await this.#poll()
      if (took === 0) await this.#sleep(pollMs)
    }
  }

  /** @returns how many tasks were taken */
  async #poll(): Promise<number> {
    const room = this.#room()
    if (room === 0) return 0
    const { queue, leaseMs, onProblem } = this.#options
    try {
      const leases = await queue.take({ max: room, leaseMs })
      for (const lease of leases) this.#emit(lease)
      return leases.length
    } catch (error) {
      onProblem?.(publicError(error))
      this.#backOff()
      return 0
    }
  }

  /** Longer with each failure since something went well. */
  #backOff(): void {
    const waitMs = BACKOFF_MS.base * 2 ** Math.min(this.#failuresInRow, 10)
    this.#failuresInRow += 1
    this.#resumesAtMs = this.#options.clock.nowMs() + Math.min(BACKOFF_MS.cap, waitMs)
  }

  #room(): number {
    const { isOpen, clock, tasksMax } = this.#options
    if (this.#isHeld || clock.nowMs() < this.#resumesAtMs || !isOpen()) return 0
    return Math.max(0, tasksMax - this.#leases.size)
  }

  #emit(lease: SimulationLease): void {
    const offset = this.#nextOffset
    this.#nextOffset += 1n
    this.#leases.set(offset, lease)
    const nowMs = this.#options.clock.nowMs()
    const value = new TextEncoder().encode(JSON.stringify(lease.task))
    const place = { ...this.#partition, offset, key: null, headers: {} }
    const times = { timestampMs: nowMs, receivedAtMs: nowMs }
    const wantsMore = this.#listener?.record({ ...place, value, ...times })
    if (wantsMore === false) this.#isHeld = true
  }

  async #sleep(ms: number): Promise<void> {
    const signal = AbortSignal.any([this.#pause.signal, this.#stopping.signal])
    await this.#options.clock.sleep(ms, signal).catch(() => undefined)
  }
}
