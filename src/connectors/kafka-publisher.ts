import { TooLargeError, UnavailableError } from "../errors.ts"
import type { OutgoingMessage, Publisher } from "../stream/types.ts"
import {
  asKafkaError,
  closeWithin,
  ensureTopics,
  idempotentProducer,
  type Kafka,
  type Producer,
} from "./kafka-client.ts"
import { type ProducedTopic, requests } from "./kafka-requests.ts"
import { TopicLimits } from "./topic-limits.ts"

/** Calls waiting at once; a caller's own concurrency stays below it. */
const WAITING_MAX = 4_096

const CLOSE_TIMEOUT_MS = 3_000

interface Call {
  readonly messages: readonly OutgoingMessage[]
  settle(error?: unknown): void
}

/**
 * Publishes to topics, which it creates when they are missing; calls that arrive while a request is
 * under way share the next.
 *
 * Promise: at least once. Messages are acknowledged by all in-sync replicas before `publish`
 * resolves, and one client's repeated request is recognised by the broker. After a request has
 * failed for good the producer is replaced: its next request would reuse the sequence numbers of
 * the failed one, and a broker that had stored that one would take the next for its repetition.
 */
export class KafkaPublisher implements Publisher {
  readonly #kafka: Kafka
  readonly #produces: readonly ProducedTopic[]
  readonly #limits: TopicLimits
  #waiting: Call[] = []
  #sending: Promise<void> | undefined
  #producer: Promise<Producer> | undefined

  constructor(kafka: Kafka, produces: readonly ProducedTopic[]) {
    this.#kafka = kafka
    this.#produces = produces
    this.#limits = new TopicLimits(kafka, produces)
  }

  /**
   * Resolves once all messages are durable.
   * @throws TooLargeError; UnavailableError; the signal's reason (the messages may still arrive)
   */
  publish(messages: readonly OutgoingMessage[], signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    if (messages.length === 0) return Promise.resolve()
    if (this.#waiting.length >= WAITING_MAX) return Promise.reject(new UnavailableError("kafka"))
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const giveUp = () => reject(signal?.reason)
    signal?.addEventListener("abort", giveUp, { once: true })
    const settle = (error?: unknown) => {
      signal?.removeEventListener("abort", giveUp)
      if (error === undefined) resolve()
      else reject(error)
    }
    this.#waiting.push({ messages, settle })
    this.#sending ??= this.#sendWaiting()
    return promise
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
    // everything that the same turn of the event loop brings
    await new Promise(setImmediate)
    while (this.#waiting.length > 0) await this.#send(this.#waiting.splice(0))
    this.#sending = undefined
  }

  async #send(calls: readonly Call[]): Promise<void> {
    try {
      const producer = await this.#connectedProducer()
      const messages = calls.flatMap((call) => call.messages)
      for (const topicMessages of requests(messages, this.#limits.batchBytesMax)) {
        await producer.sendBatch({ acks: -1, topicMessages })
      }
      for (const call of calls) call.settle()
    } catch (error) {
      await this.#replaceProducer()
      const refused = asKafkaError(error)
      if (refused instanceof TooLargeError) await this.#sendFitting(calls, refused)
      else for (const { settle } of calls) settle(refused)
    }
  }

  /** A topic may take less than we think. */
  async #sendFitting(calls: readonly Call[], refused: TooLargeError): Promise<void> {
    const isNews = await this.#limits.learn()
    const fitting = calls.flatMap((call) => this.#fit(call))
    const isOther = isNews || fitting.length < calls.length
    if (isOther || fitting.some((call, at) => call !== calls[at])) return this.#send(fitting)
    // each has its own answer
    if (calls.length > 1) for (const call of calls) await this.#send([call])
    else for (const { settle } of calls) settle(refused)
  }

  /** None where the call is refused. */
  #fit(call: Call): readonly Call[] {
    try {
      const messages = this.#limits.fit(call.messages)
      return messages === call.messages ? [call] : [{ ...call, messages }]
    } catch (error) {
      call.settle(error)
      return []
    }
  }

  #connectedProducer(): Promise<Producer> {
    this.#producer ??= this.#connect()
    return this.#producer
  }

  async #connect(): Promise<Producer> {
    await ensureTopics(this.#kafka, this.#produces)
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
