import type { PartitionId, SourceListener, SourceRecord } from "../stream/types.ts"
import type { IHeaders, KafkaMessage } from "./kafka-client.ts"

interface FetchedBatch {
  readonly messages: readonly KafkaMessage[]
  readonly highWatermark: string
  lastOffset(): string
}

interface Fetching {
  pause(): void
  resume(): void
}

/**
 * One assigned partition between fetch and engine. The messages of a fetch that the engine cannot
 * take yet wait here, at most one fetch of them; meanwhile the partition is not fetched.
 */
export class KafkaPartition {
  readonly id: PartitionId
  readonly #listener: SourceListener
  readonly #fetching: Fetching
  #messages: readonly KafkaMessage[] = []
  #next = 0
  #receivedAtMs = 0
  /** One past the last message taken. */
  #position: bigint | undefined
  #emptyUntil = 0n
  #highWatermark = 0n
  #isFetched = false
  #held = false
  #paused = false
  #delivering = false
  #dropped = false

  /** @param parts.from the first offset to hand over; from wherever the fetches begin if absent */
  constructor(
    id: PartitionId,
    parts: {
      readonly listener: SourceListener
      readonly fetching: Fetching
      readonly from?: bigint
    },
  ) {
    this.id = id
    this.#listener = parts.listener
    this.#fetching = parts.fetching
    this.#position = parts.from
  }

  /** How far the fetches have come; undefined until it is known. */
  get reached(): bigint | undefined {
    const position = this.#position
    return position === undefined || position > this.#emptyUntil ? position : this.#emptyUntil
  }

  /** True while nothing is fetched because the engine has enough. */
  get paused(): boolean {
    return this.#paused
  }

  /** A fetch brought nothing but aborted messages and transaction markers, up to `offset`. */
  skip(offset: bigint): void {
    if (offset > this.#emptyUntil) this.#emptyUntil = offset
  }

  /** Messages on the broker that the engine has not got; undefined before the first fetch. */
  get lag(): bigint | undefined {
    if (!this.#isFetched || this.#position === undefined) return undefined
    const first = this.#messages[this.#next]
    const position = first === undefined ? this.#position : BigInt(first.offset)
    return this.#highWatermark > position ? this.#highWatermark - position : 0n
  }

  take(batch: FetchedBatch): void {
    this.#messages = [...this.#messages.slice(this.#next), ...this.#unseen(batch.messages)]
    this.#next = 0
    this.#receivedAtMs = Date.now()
    const end = BigInt(batch.lastOffset()) + 1n
    // a fetch from before the last seek must not take the position back
    if (this.#position === undefined || end > this.#position) this.#position = end
    this.#isFetched = true
    this.#highWatermark = BigInt(batch.highWatermark)
    this.#deliver()
  }

  /** A fetch from before the last seek may reach back. */
  #unseen(messages: readonly KafkaMessage[]): readonly KafkaMessage[] {
    const from = this.#position
    const first = messages[0]
    if (from === undefined || first === undefined || BigInt(first.offset) >= from) return messages
    return messages.filter(({ offset }) => BigInt(offset) >= from)
  }

  hold(): void {
    this.#held = true
    this.#fetchOnlyWhenEmpty()
  }

  release(): void {
    this.#held = false
    this.#deliver()
  }

  /** Hands over nothing more. */
  drop(): void {
    this.#dropped = true
    this.#messages = []
    this.#fetchOnlyWhenEmpty()
  }

  /** The engine may release the partition while it takes a record: the loop then just goes on. */
  #deliver(): void {
    if (this.#delivering) return
    this.#delivering = true
    while (!this.#held && !this.#dropped) {
      const message = this.#messages[this.#next]
      if (message === undefined) break
      this.#next += 1
      if (!this.#listener.record(this.#record(message))) this.#held = true
    }
    this.#delivering = false
    if (this.#next === this.#messages.length) this.#forgetDelivered()
    this.#fetchOnlyWhenEmpty()
  }

  /** Each value is a slice of a whole fetch, which would stay in memory with it. */
  #forgetDelivered(): void {
    this.#messages = []
    this.#next = 0
  }

  #fetchOnlyWhenEmpty(): void {
    const waiting = this.#next < this.#messages.length
    const paused = this.#held || this.#dropped || waiting
    if (paused === this.#paused) return
    this.#paused = paused
    try {
      if (paused) this.#fetching.pause()
      else this.#fetching.resume()
    } catch {
      // the client is reconnecting; it will assign this partition anew
    }
  }

  #record(message: KafkaMessage): SourceRecord {
    const timestampMs = Number(message.timestamp)
    const { topic, partition } = this.id
    return {
      topic,
      partition,
      offset: BigInt(message.offset),
      key: message.key?.toString("utf8") ?? null,
      value: message.value ?? new Uint8Array(),
      headers: headerTexts(message.headers),
      timestampMs: timestampMs >= 0 ? timestampMs : this.#receivedAtMs,
      receivedAtMs: this.#receivedAtMs,
    }
  }
}

const NO_HEADERS: Readonly<Record<string, string>> = Object.freeze({})

function headerTexts(headers: IHeaders = {}): Readonly<Record<string, string>> {
  let texts: Record<string, string> | undefined
  for (const name in headers) {
    const value = headers[name]
    const first = Array.isArray(value) ? value[0] : value
    texts ??= {}
    if (first !== undefined) texts[name] = first.toString()
  }
  return texts ?? NO_HEADERS
}
