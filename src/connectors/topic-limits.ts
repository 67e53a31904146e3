import { TooLargeError } from "../errors.ts"
import type { OutgoingMessage } from "../stream/types.ts"
import { type Kafka, MESSAGE_BYTES_MAX, messageBytesLimits } from "./kafka-client.ts"
import type { ProducedTopic } from "./kafka-requests.ts"

/** Of a topic that the broker does not tell about. */
const DEFAULT_BYTES_MAX = 1_048_588
/** What a batch of one message adds to its bytes, at most. */
const BATCH_OVERHEAD_BYTES = 128
const HEADER_OVERHEAD_BYTES = 10

/**
 * How much the topics take, which may be less than they were created for. Nothing is asked before
 * something was refused: most topics take all that is sent.
 */
export class TopicLimits {
  readonly #kafka: Kafka
  readonly #produces: readonly ProducedTopic[]
  #bytesMax: ReadonlyMap<string, number> = new Map()

  constructor(kafka: Kafka, produces: readonly ProducedTopic[]) {
    this.#kafka = kafka
    this.#produces = produces
  }

  /** What all of them take in one batch. */
  get batchBytesMax(): number {
    return Math.min(MESSAGE_BYTES_MAX, ...this.#bytesMax.values())
  }

  /** Asks the broker. @returns true where batches must be smaller than before */
  async learn(): Promise<boolean> {
    const before = this.batchBytesMax
    const topics = this.#produces.map(({ topic }) => topic)
    // who may not ask goes by the default
    this.#bytesMax = await messageBytesLimits(this.#kafka, topics).catch(() => new Map())
    return this.batchBytesMax < before
  }

  /**
   * The messages, with what goes out instead of those that are too large; the very same array where
   * none is.
   * @throws TooLargeError where nothing can go out instead
   */
  fit(messages: readonly OutgoingMessage[]): readonly OutgoingMessage[] {
    const fitting = messages.map((message) => this.#fitting(message))
    return fitting.every((message, at) => message === messages[at]) ? messages : fitting
  }

  #fitting(message: OutgoingMessage): OutgoingMessage {
    const { topic } = message
    const bytesMax = (this.#bytesMax.get(topic) ?? DEFAULT_BYTES_MAX) - BATCH_OVERHEAD_BYTES
    if (bytesOf(message) <= bytesMax) return message
    const spec = this.#produces.find((produced) => produced.topic === topic)
    const instead = spec?.instead?.(message, bytesMax)
    if (instead === undefined) throw new TooLargeError("message", bytesMax)
    if (instead.topic !== topic) return this.#fitting(instead)
    if (bytesOf(instead) > bytesMax) throw new TooLargeError("message", bytesMax)
    return instead
  }
}

function bytesOf({ key, value, headers = {} }: OutgoingMessage): number {
  let bytes = Buffer.byteLength(key ?? "") + Buffer.byteLength(value)
  for (const [name, text] of Object.entries(headers)) {
    bytes += Buffer.byteLength(name) + Buffer.byteLength(text) + HEADER_OVERHEAD_BYTES
  }
  return bytes
}
