import { TooLargeError, UnavailableError } from "../errors.ts"
import {
  asKafkaError,
  closeWithin,
  ensureTopics,
  idempotentProducer,
  type Kafka,
  MESSAGE_BYTES_MAX,
  type Producer,
} from "./kafka-client.ts"

export interface TopicMessage {
  readonly key: string | null
  readonly value: string
}

export interface KafkaTopicOptions {
  readonly topic: string
  /** Largest message, and largest batch; also the topic's own limit where this creates it. */
  readonly messageBytesMax?: number
  /** How long the first message of a batch waits for company. */
  readonly lingerMs?: number
}

/** Messages waiting at once; a caller's own concurrency stays below it. */
const WAITING_MAX = 4_096

const CLOSE_TIMEOUT_MS = 3_000

interface Waiting {
  readonly message: TopicMessage
  readonly bytes: number
  readonly acknowledged: () => void
  readonly refused: (error: unknown) => void
}

/**
 * Publishes to one topic; messages that arrive within `lingerMs`, or while a request is under way,
 * share the next request.
 *
 * Promise: at least once. A message is acknowledged by all in-sync replicas before `publish`
 * resolves, and one client's repeated request is recognised by the broker. After a request has
 * failed for good the producer is replaced: its next request would reuse the sequence numbers of
 * the failed one, and a broker that had stored that one would take the next for its repetition.
 */
export class KafkaTopic {
  readonly #kafka: Kafka
  readonly #topic: string
  readonly #bytesMax: number
  readonly #lingerMs: number
  readonly #createdLimit: number | undefined
  #waiting: Waiting[] = []
  #sending: Promise<void> | undefined
  #producer: Promise<Producer> | undefined

  constructor(kafka: Kafka, options: KafkaTopicOptions) {
    this.#kafka = kafka
    this.#topic = options.topic
    this.#createdLimit = options.messageBytesMax
    this.#bytesMax = options.messageBytesMax ?? MESSAGE_BYTES_MAX
    this.#lingerMs = options.lingerMs ?? 2
  }

  /**
   * Resolves once the message is durable.
   * @throws TooLargeError; UnavailableError; the signal's reason (the message may still arrive)
   */
  async publish(message: TopicMessage, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted()
    const bytes = Buffer.byteLength(message.value) + Buffer.byteLength(message.key ?? "")
    if (bytes > this.#bytesMax) throw new TooLargeError("message", this.#bytesMax)
    if (this.#waiting.length >= WAITING_MAX) throw new UnavailableError("kafka")
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const waiting: Waiting = { message, bytes, acknowledged: resolve, refused: reject }
    const giveUp = () => {
      this.#waiting = this.#waiting.filter((other) => other !== waiting)
      reject(signal?.reason)
    }
    signal?.addEventListener("abort", giveUp, { once: true })
    this.#waiting.push(waiting)
    this.#sending ??= this.#sendWaiting()
    await promise.finally(() => signal?.removeEventListener("abort", giveUp))
  }

  /** Sends what waits, then disconnects; gives up on a broker that does not answer. */
  async close(): Promise<void> {
    const sent = this.#sending ?? Promise.resolve()
    await closeWithin(
      CLOSE_TIMEOUT_MS,
      sent.then(() => this.#replaceProducer()),
    )
  }

  async #sendWaiting(): Promise<void> {
    await Bun.sleep(this.#lingerMs)
    while (this.#waiting.length > 0) await this.#send(this.#takeBatch())
    this.#sending = undefined
  }

  #takeBatch(): readonly Waiting[] {
    let bytes = 0
    const end = this.#waiting.findIndex((waiting, index) => {
      bytes += waiting.bytes
      return index > 0 && bytes > this.#bytesMax
    })
    return this.#waiting.splice(0, end === -1 ? this.#waiting.length : end)
  }

  async #send(batch: readonly Waiting[]): Promise<void> {
    try {
      const producer = await this.#connectedProducer()
      const messages = batch.map(({ message }) => message)
      await producer.send({ topic: this.#topic, acks: -1, messages })
      for (const { acknowledged } of batch) acknowledged()
    } catch (error) {
      await this.#replaceProducer()
      await this.#refuse(batch, error)
    }
  }

  /** A broker may take less than we think: then the messages go one by one, and each has its answer. */
  async #refuse(batch: readonly Waiting[], error: unknown): Promise<void> {
    const reason = asKafkaError(error)
    if (reason instanceof TooLargeError && batch.length > 1) {
      for (const waiting of batch) await this.#send([waiting])
      return
    }
    for (const { refused } of batch) refused(reason)
  }

  #connectedProducer(): Promise<Producer> {
    this.#producer ??= this.#connect()
    return this.#producer
  }

  async #connect(): Promise<Producer> {
    const limit = this.#createdLimit
    const spec = limit === undefined ? {} : { messageBytesMax: limit + 48_588 }
    await ensureTopics(this.#kafka, [{ topic: this.#topic, ...spec }])
    const producer = idempotentProducer(this.#kafka)
    await producer.connect()
    return producer
  }

  async #replaceProducer(): Promise<void> {
    const old = this.#producer
    this.#producer = undefined
    await old?.then((producer) => producer.disconnect()).catch(() => undefined)
  }
}
