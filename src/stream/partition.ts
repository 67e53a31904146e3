import { AbandonedError } from "./failures.ts"
import { Journey } from "./journey.ts"
import { ReadyQueue } from "./ready-queue.ts"
import type { OutgoingMessage, PartitionId, Source, SourceRecord } from "./types.ts"
import { Watermark } from "./watermark.ts"

/** Bounds of one partition; a partition over its buffer is held at its source, others go on. */
export interface PartitionLimits {
  /** Records in flight at once. */
  readonly inFlightMax: number
  /** Records waiting; one fetch of the source may exceed it. */
  readonly bufferedMax: number
  /** Bytes of records waiting; also of messages that are staged and not yet sent. */
  readonly bufferedBytesMax: number
  /** Records started and not yet below the watermark, and messages that wait to be sent. */
  readonly unpassedMax: number
}

/** How far a partition has come since it was last sent or committed. */
export interface Progress {
  /** The offset to commit. */
  readonly next: bigint
  readonly messages: readonly OutgoingMessage[]
  /** Call once the messages are durable: they are not sent again. */
  sent(): void
  /** Call once the offset is durable. */
  committed(): void
}

/**
 * One assigned partition: who waits, who is in flight, and how far everything is finished.
 *
 * Order per key: a key has at most one record ready or in flight; the others wait in its lane.
 */
export class Partition {
  readonly id: PartitionId
  readonly source: Source
  readonly #limits: PartitionLimits
  /** Aborted when the partition is given back: what is still in flight must not reach a sink. */
  readonly signal: AbortSignal
  readonly #life = new AbortController()
  /** Those that wait behind a key's first record; most keys have none. */
  readonly #lanes = new Map<string, Journey[] | undefined>()
  /** The first records of their keys. */
  readonly #ready = new ReadyQueue<Journey>()
  /** Records whose turn in their lane has come. */
  readonly #followers = new ReadyQueue<Journey>()
  readonly #watermark: Watermark
  /** Messages of records below the watermark. */
  readonly #outbox: OutgoingMessage[] = []
  /** Characters of all messages staged and not yet sent. */
  #staged = 0
  #buffered = 0
  #bufferedBytes = 0
  #inFlight = 0
  #held = false
  #heldMs = 0
  #heldSinceMs = 0
  #idle: (() => void)[] = []
  #committed: bigint | undefined
  #advances: Promise<void> = Promise.resolve()
  #isSendScheduled = false
  #isLost = false
  /** A send is under way. */
  isSending = false
  /** When the last messages were sent; epoch milliseconds. */
  lastSentMs = 0

  constructor(id: PartitionId, source: Source, limits: PartitionLimits) {
    this.id = id
    this.source = source
    this.#limits = limits
    this.signal = this.#life.signal
    this.#watermark = new Watermark(({ messages }) => {
      if (messages !== undefined) this.#outbox.push(...messages)
    })
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

  /** How long, since it was assigned, its source was told to wait; milliseconds. */
  get heldMs(): number {
    return this.#heldMs + (this.#held ? performance.now() - this.#heldSinceMs : 0)
  }

  /** Records taken and not yet below the watermark. */
  get unfinished(): number {
    return this.#watermark.pending
  }

  /** The time of the record that holds the watermark back; undefined where none does. */
  get oldestMs(): number | undefined {
    return this.#watermark.oldestMs
  }

  get isLost(): boolean {
    return this.#isLost
  }

  /** Messages that may be sent. */
  get outgoing(): number {
    return this.#outbox.length
  }

  /** So many that they should not wait for the next tick. */
  get isCrowded(): boolean {
    return this.#outbox.length * 4 >= this.#limits.unpassedMax
  }

  get committed(): bigint | undefined {
    return this.#committed
  }

  /** Takes the record always; `held` says whether the buffer is now full. */
  offer(record: SourceRecord): void {
    const ticket = this.#watermark.admit(record.offset, record.timestampMs)
    this.#buffered += 1
    this.#bufferedBytes += record.value.byteLength
    this.#line(new Journey(record, ticket, this.signal))
    if (!this.#held && this.#full(1)) {
      this.#held = true
      this.#heldSinceMs = performance.now()
    }
  }

  /** The next record that may start: the lowest offset, so that little is finished above the watermark. */
  take(): Journey | undefined {
    if (this.#inFlight >= this.#limits.inFlightMax) return undefined
    // What is finished behind a stuck record waits here, with the messages it will send. The stuck
    // one may itself be waiting to start, so with nothing in flight or to send the next one does.
    const mayWait = this.#inFlight > 0 || this.#outbox.length > 0
    if (mayWait && this.#hasTooMuchUnsent()) return undefined
    const journey = this.#nextReady()
    if (journey === undefined) return undefined
    this.#buffered -= 1
    this.#bufferedBytes -= journey.record.value.byteLength
    this.#inFlight += 1
    return journey
  }

  /** The record's outcome is durable, or staged. */
  finish({ record, ticket, staged }: Journey): void {
    ticket.messages = staged
    if (staged !== undefined) this.#staged += charactersOf(staged)
    this.#watermark.finish(ticket)
    this.#leave(record)
  }

  /** The record was abandoned: the source will deliver it again. */
  forget({ record }: Journey): void {
    this.#leave(record)
  }

  /** True once when a held partition has room again. */
  release(): boolean {
    if (!this.#held || this.#full(0.5)) return false
    this.#held = false
    this.#heldMs += performance.now() - this.#heldSinceMs
    return true
  }

  /** Forgets what has not started: the source will deliver it again to the next owner. */
  dropWaiting(): void {
    this.#ready.clear()
    this.#followers.clear()
    this.#lanes.clear()
    this.#buffered = 0
    this.#bufferedBytes = 0
  }

  /** Another owner has it, or may have: nothing of it is sent any more. */
  lose(): void {
    this.#isLost = true
    this.dropWaiting()
    this.abandon()
  }

  abandon(): void {
    this.#life.abort(new AbandonedError())
  }

  whenIdle(): Promise<void> {
    if (this.#inFlight === 0) return Promise.resolve()
    return new Promise((resolve) => this.#idle.push(resolve))
  }

  /** False while a send is waiting for its moment: what is finished until then is part of it. */
  scheduleSend(): boolean {
    if (this.#isSendScheduled) return false
    this.#isSendScheduled = true
    return true
  }

  sendStarted(): void {
    this.#isSendScheduled = false
  }

  /**
   * Sends or commits by `work` what is finished, one call at a time: a later one never overtakes an
   * earlier one. What a failed one did not report is part of the next.
   */
  advance(work: (progress: Progress) => Promise<void>): Promise<void> {
    const run = this.#advances.then(() => this.#advanceOnce(work))
    this.#advances = run.catch(() => undefined)
    return run
  }

  async #advanceOnce(work: (progress: Progress) => Promise<void>): Promise<void> {
    const { next } = this.#watermark
    if (next === undefined || next === this.#committed || this.#isLost) return
    const messages = this.#outbox.slice()
    await work({
      ...{ next, messages },
      sent: () => this.#forgetSent(messages),
      committed: () => {
        this.#committed = next
      },
    })
  }

  #forgetSent(messages: readonly OutgoingMessage[]): void {
    this.#outbox.splice(0, messages.length)
    this.#staged -= charactersOf(messages)
  }

  #hasTooMuchUnsent(): boolean {
    const { unpassedMax, bufferedBytesMax } = this.#limits
    const unsent = this.#watermark.pending - this.#buffered + this.#outbox.length
    return unsent >= unpassedMax || this.#staged >= bufferedBytesMax
  }

  #full(share: number): boolean {
    const { bufferedMax, bufferedBytesMax } = this.#limits
    return this.#buffered >= bufferedMax * share || this.#bufferedBytes >= bufferedBytesMax * share
  }

  /** A record without a key has no order to keep. */
  #line(journey: Journey): void {
    const { key } = journey.record
    if (key !== null && this.#lanes.has(key)) {
      const lane = this.#lanes.get(key)
      if (lane === undefined) this.#lanes.set(key, [journey])
      else lane.push(journey)
      return
    }
    if (key !== null) this.#lanes.set(key, undefined)
    this.#ready.push(journey)
  }

  #leave({ key }: SourceRecord): void {
    this.#inFlight -= 1
    if (key !== null) this.#advanceLane(key)
    if (this.#inFlight > 0 || this.#idle.length === 0) return
    for (const wake of this.#idle.splice(0)) wake()
  }

  #advanceLane(key: string): void {
    const next = this.#lanes.get(key)?.shift()
    if (next !== undefined) this.#followers.push(next)
    else this.#lanes.delete(key)
  }

  #nextReady(): Journey | undefined {
    const follower = this.#followers.head
    if (follower === undefined) return this.#ready.shift()
    const first = this.#ready.head
    const isOlder = first === undefined || follower.record.offset < first.record.offset
    return isOlder ? this.#followers.shift() : this.#ready.shift()
  }
}

function charactersOf(messages: readonly OutgoingMessage[]): number {
  let characters = 0
  for (const { value } of messages) characters += value.length
  return characters
}
