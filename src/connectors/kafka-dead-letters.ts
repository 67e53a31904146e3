import { TooLargeError } from "../errors.ts"
import type { DeadLetter, DeadLetterSink } from "../stream/types.ts"
import type { Kafka } from "./kafka-client.ts"
import { KafkaTopic } from "./kafka-topic.ts"

export const DEAD_LETTER_TOPIC = "sentinel.dead_letter"

/** Room for the base64 of the largest record that Kafka takes by default (1 MiB). */
const LETTER_BYTES_MAX = 2_000_000

/** What is kept of a value whose letter the topic does not take: it may have a smaller limit. */
const CUT_VALUE_BYTES = 500_000

export interface KafkaDeadLetters extends DeadLetterSink {
  write(letter: DeadLetter): Promise<void>
}

/**
 * Publishes dead letters to `sentinel.dead_letter`, under the key of the record as received.
 *
 * Value: `{code, operator, message, attempts, topic, partition, offset, received_at, value_base64,
 * headers}`. A value too large for the topic is cut and the letter says `value_truncated: true`;
 * topic, partition and offset still point to the whole. Guarantee: at least once.
 */
export function kafkaDeadLetters(
  kafka: Kafka,
  options: { readonly topic?: string } = {},
): KafkaDeadLetters {
  const topic = new KafkaTopic(kafka, {
    topic: options.topic ?? DEAD_LETTER_TOPIC,
    messageBytesMax: LETTER_BYTES_MAX,
  })
  return {
    name: "kafka_dead_letters",
    guarantee: "at-least-once",
    concurrency: 256,
    async write(letter) {
      const { key } = letter.record
      try {
        await topic.publish({ key, value: JSON.stringify(letterDocument(letter)) })
      } catch (error) {
        if (!(error instanceof TooLargeError)) throw error
        await topic.publish({ key, value: JSON.stringify(cutLetterDocument(letter)) })
      }
    },
    close: () => topic.close(),
  }
}

function letterDocument({ record, ...letter }: DeadLetter) {
  return {
    code: letter.code,
    operator: letter.operator,
    message: letter.message,
    attempts: letter.attempts,
    topic: record.topic,
    partition: record.partition,
    offset: Number(record.offset),
    received_at: new Date(record.receivedAtMs).toISOString(),
    value_base64: Buffer.from(record.value).toString("base64"),
    headers: record.headers,
  }
}

function cutLetterDocument(letter: DeadLetter) {
  const value = letter.record.value.subarray(0, CUT_VALUE_BYTES)
  const cut = letterDocument({ ...letter, record: { ...letter.record, value, headers: {} } })
  return { ...cut, value_truncated: true }
}
