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
  readonly signal: AbortSignal | undefined
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
  readonly #heeded = new WeakSet<AbortSignal>()
  #waiting: Waiting[] = []
  #underWay: readonly Waiting[] = []
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
  publish(message: TopicMessage, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    const bytes = Buffer.byteLength(message.value) + Buffer.byteLength(message.key ?? "")
    if (bytes > this.#bytesMax) return Promise.reject(new TooLargeError("message", this.#bytesMax))
    if (this.#waiting.length >= WAITING_MAX) return Promise.reject(new UnavailableError("kafka"))
    if (signal !== undefined) this.#heed(signal)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#waiting.push({ message, bytes, signal, acknowledged: resolve, refused: reject })
    this.#sending ??= this.#sendWaiting()
    return promise
  }

  /** One listener for all messages of a signal: a listener each cost more than the message. */
  #heed(signal: AbortSignal): void {
    if (this.#heeded.has(signal)) return
    this.#heeded.add(signal)
    const giveUp = () => {
      const isGivenUp = (waiting: Waiting) => waiting.signal === signal
      for (const { refused } of this.#underWay.filter(isGivenUp)) refused(signal.reason)
      for (const { refused } of this.#waiting.filter(isGivenUp)) refused(signal.reason)
      this.#waiting = this.#waiting.filter((waiting) => !isGivenUp(waiting))
    }
    signal.addEventListener("abort", giveUp, { once: true })
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
    this.#underWay = []
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
    this.#underWay = batch
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
