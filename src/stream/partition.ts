import { AbandonedError } from "./failures.ts"
import type { PartitionId, Source, SourceRecord } from "./types.ts"
import { type Ticket, Watermark } from "./watermark.ts"

/** A record that waits for its turn, or is in flight. */
export interface Entry {
  readonly record: SourceRecord
  readonly ticket: Ticket
}

/** Bounds of one partition; a partition over its buffer is held at its source, others go on. */
export interface PartitionLimits {
  /** Records in flight at once. */
  readonly inFlightMax: number
  /** Records waiting; one fetch of the source may exceed it. */
  readonly bufferedMax: number
  /** Bytes of records waiting. */
  readonly bufferedBytesMax: number
}

/**
 * One assigned partition: who waits, who is in flight, and how far everything is finished.
 *
 * Order per key: a key has at most one record ready or in flight; the others wait in its lane.
 */
export class Partition {
  readonly id: PartitionId
  readonly source: Source
  readonly watermark = new Watermark()
  readonly #limits: PartitionLimits
  readonly #life = new AbortController()
  readonly #lanes = new Map<string, Entry[]>()
  #ready: Entry[] = []
  #buffered = 0
  #bufferedBytes = 0
  #inFlight = 0
  #held = false
  #idle: (() => void)[] = []
  committed: bigint | undefined

  constructor(id: PartitionId, source: Source, limits: PartitionLimits) {
    this.id = id
    this.source = source
    this.#limits = limits
  }

  /** Aborted when the partition is given back: what is still in flight must not reach a sink. */
  get signal(): AbortSignal {
    return this.#life.signal
  }

  get inFlight(): number {
    return this.#inFlight
  }

  get buffered(): number {
    return this.#buffered
  }

  get held(): boolean {
    return this.#held
  }

  /** Takes the record always; `held` says whether the buffer is now full. */
  offer(record: SourceRecord): void {
    const entry = { record, ticket: this.watermark.admit(record.offset) }
    this.#buffered += 1
    this.#bufferedBytes += record.value.byteLength
    this.#line(entry)
    if (this.#full(1)) this.#held = true
  }

  /** The next record that may start, in order of arrival among free keys. */
  take(): Entry | undefined {
    if (this.#inFlight >= this.#limits.inFlightMax) return undefined
    const entry = this.#ready.shift()
    if (entry === undefined) return undefined
    this.#buffered -= 1
    this.#bufferedBytes -= entry.record.value.byteLength
    this.#inFlight += 1
    return entry
  }

  /** The record's outcome is durable, or (`finished` false) it was abandoned. */
  settle(entry: Entry, finished: boolean): void {
    if (finished) this.watermark.finish(entry.ticket)
    this.#inFlight -= 1
    this.#advanceLane(entry.record.key)
    if (this.#inFlight === 0) for (const wake of this.#idle.splice(0)) wake()
  }

  /** True once when a held partition has room again. */
  release(): boolean {
    if (!this.#held || this.#full(0.5)) return false
    this.#held = false
    return true
  }

  /** Forgets what has not started: the source will deliver it again to the next owner. */
  dropWaiting(): void {
    this.#ready = []
    this.#lanes.clear()
    this.#buffered = 0
    this.#bufferedBytes = 0
  }

  abandon(): void {
    this.#life.abort(new AbandonedError())
  }

  whenIdle(): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  #full(share: number): boolean {
    const { bufferedMax, bufferedBytesMax } = this.#limits
    return this.#buffered >= bufferedMax * share || this.#bufferedBytes >= bufferedBytesMax * share
  }

  /** A record without a key has no order to keep. */
  #line(entry: Entry): void {
    const { key } = entry.record
    const lane = key === null ? undefined : this.#lanes.get(key)
    if (lane !== undefined) {
      lane.push(entry)
      return
    }
    if (key !== null) this.#lanes.set(key, [])
    this.#ready.push(entry)
  }

  #advanceLane(key: string | null): void {
    if (key === null) return
    const next = this.#lanes.get(key)?.shift()
    if (next !== undefined) this.#ready.push(next)
    else this.#lanes.delete(key)
  }
}
