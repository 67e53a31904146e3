import { PartitionLostError, TooLargeError } from "../errors.ts"
import type { OutgoingMessage, PartitionId } from "../stream/types.ts"
import {
  asKafkaError,
  closeWithin,
  isPreviousTransactionEnding,
  type Kafka,
  type Producer,
  type Transaction,
  transactionalProducer,
} from "./kafka-client.ts"
import { committedOffset } from "./kafka-offsets.ts"
import { type ProducedTopic, requests } from "./kafka-requests.ts"
import { TopicLimits } from "./topic-limits.ts"

export interface TransactionParts {
  readonly kafka: Kafka
  readonly groupId: string
  readonly id: PartitionId
  readonly produces: readonly ProducedTopic[]
}

const CLOSE_TIMEOUT_MS = 3_000

/**
 * The transactions of one input partition: outgoing messages and the partition's offset in the
 * group, both or neither.
 *
 * The transactional id is made of group, topic and partition, so whoever takes the partition over
 * fences its last owner before it reads the committed offset. That fencing also orders the two: the
 * broker answers it only after the last owner's transaction is completed or aborted, offset included.
 */
export class PartitionTransactions {
  readonly #parts: TransactionParts
  readonly #limits: TopicLimits
  #producer: Producer | undefined
  #committed: bigint | undefined

  constructor(parts: TransactionParts) {
    this.#parts = parts
    this.#limits = new TopicLimits(parts.kafka, parts.produces)
  }

  /**
   * Fences the last owner, and only then reads the offset: it cannot change under us any more.
   * @returns the committed offset, undefined where there is none
   * @throws UnavailableError
   */
  async acquire(): Promise<bigint | undefined> {
    const { kafka, groupId, id } = this.#parts
    await this.close()
    const producer = transactionalProducer(kafka, `${groupId}-${id.topic}-${id.partition}`)
    this.#producer = producer
    try {
      await producer.connect()
      const first = await producer.transaction()
      await first.abort()
      this.#committed = await committedOffset(kafka, groupId, id)
      return this.#committed
    } catch (error) {
      await this.close()
      throw asKafkaError(error)
    }
  }

  /**
   * Sends `messages` and commits `next` in one transaction; one call at a time.
   *
   * An offset without messages takes the same way: a plain commit is not fenced by the transactional
   * id, and the broker could apply it before the transaction that went ahead of it.
   * @throws PartitionLostError when another owner has fenced this one, and after any other failure: it
   *   is not known then how the transaction ended, nor which sequence numbers the broker has seen.
   *   Whoever acquires the partition next learns it.
   */
  async commit(next: bigint, messages: readonly OutgoingMessage[]): Promise<void> {
    try {
      await this.#transact(next, messages).catch(async (error) => {
        if (!(asKafkaError(error) instanceof TooLargeError)) throw error
        await this.#transactFitting(next, messages)
      })
    } catch {
      await this.close()
      throw new PartitionLostError()
    }
    this.#committed = next
  }

  async close(): Promise<void> {
    const producer = this.#producer
    this.#producer = undefined
    if (producer !== undefined) await closeWithin(CLOSE_TIMEOUT_MS, producer.disconnect())
  }

  async #transact(next: bigint, messages: readonly OutgoingMessage[]): Promise<void> {
    if (this.#producer === undefined) throw new PartitionLostError()
    const transaction = await this.#producer.transaction()
    for (const topicMessages of requests(messages, this.#limits.batchBytesMax)) {
      await transaction.sendBatch({ acks: -1, topicMessages })
    }
    await this.#sendOffset(transaction, next)
    await transaction.commit()
  }

  /** A refused size fails before anything is committed, but the producer cannot be used again. */
  async #transactFitting(next: bigint, messages: readonly OutgoingMessage[]): Promise<void> {
    const expected = this.#committed
    if ((await this.acquire()) !== expected) throw new PartitionLostError()
    await this.#limits.learn()
    await this.#transact(next, this.#limits.fit(messages))
  }

  /** The client repeats sends while the previous transaction is ending, but not this. */
  async #sendOffset(transaction: Transaction, next: bigint): Promise<void> {
    const { groupId, id } = this.#parts
    const partitions = [{ partition: id.partition, offset: next.toString() }]
    const offsets = { consumerGroupId: groupId, topics: [{ topic: id.topic, partitions }] }
    for (let attempt = 1; ; attempt += 1) {
      try {
        await transaction.sendOffsets(offsets)
        return
      } catch (error) {
        if (!isPreviousTransactionEnding(error) || attempt >= ENDING_ATTEMPTS_MAX) throw error
        await Bun.sleep(ENDING_POLL_MS)
      }
    }
  }
}

const ENDING_ATTEMPTS_MAX = 100
const ENDING_POLL_MS = 20
