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
  #endOffset: bigint | undefined
  #highWatermark = 0n
  #held = false
  #paused = false
  #delivering = false
  #dropped = false

  constructor(id: PartitionId, listener: SourceListener, fetching: Fetching) {
    this.id = id
    this.#listener = listener
    this.#fetching = fetching
  }

  /** Messages on the broker that the engine has not got; undefined before the first fetch. */
  get lag(): bigint | undefined {
    if (this.#endOffset === undefined) return undefined
    const first = this.#messages[this.#next]
    const position = first === undefined ? this.#endOffset : BigInt(first.offset)
    return this.#highWatermark > position ? this.#highWatermark - position : 0n
  }

  take(batch: FetchedBatch): void {
    this.#messages = [...this.#messages.slice(this.#next), ...batch.messages]
    this.#next = 0
    this.#receivedAtMs = Date.now()
    this.#endOffset = BigInt(batch.lastOffset()) + 1n
    this.#highWatermark = BigInt(batch.highWatermark)
    this.#deliver()
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
    this.#fetchOnlyWhenEmpty()
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
    return {
      ...this.id,
      offset: BigInt(message.offset),
      key: message.key?.toString("utf8") ?? null,
      value: message.value ?? new Uint8Array(),
      headers: headerTexts(message.headers),
      timestampMs: timestampMs >= 0 ? timestampMs : this.#receivedAtMs,
      receivedAtMs: this.#receivedAtMs,
    }
  }
}

function headerTexts(headers: IHeaders | undefined): Readonly<Record<string, string>> {
  const texts: Record<string, string> = {}
  for (const [name, value] of Object.entries(headers ?? {})) {
    const first = Array.isArray(value) ? value[0] : value
    if (first !== undefined) texts[name] = first.toString()
  }
  return texts
}
