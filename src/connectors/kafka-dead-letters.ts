import { TooLargeError } from "../errors.ts"
import type { DeadLetter, DeadLetterSink, OutgoingMessage } from "../stream/types.ts"
import type { Kafka, TopicSpec } from "./kafka-client.ts"
import { KafkaTopic } from "./kafka-topic.ts"

export const DEAD_LETTER_TOPIC = "sentinel.dead_letter"

/** Room for the base64 of the largest record that Kafka takes by default (1 MiB). */
const LETTER_BYTES_MAX = 2_000_000
/** What a batch adds to its messages. */
const FRAMING_BYTES = 48_588

/** What is kept of a value whose letter the topic does not take: it may have a smaller limit. */
const CUT_VALUE_BYTES = 499_998
/** Whole groups of three bytes. */
const CUT_BASE64_CHARACTERS = (CUT_VALUE_BYTES / 3) * 4

export interface KafkaDeadLetters extends DeadLetterSink {
  /** Its topic, for the transactional source that sends what `message` makes. */
  readonly produces: TopicSpec & { cut(message: OutgoingMessage): OutgoingMessage }
  write(letter: DeadLetter): Promise<void>
  message(letter: DeadLetter): OutgoingMessage
}

/**
 * Publishes dead letters to `sentinel.dead_letter`, under the key of the record as received.
 *
 * Value: `{code, operator, message, attempts, topic, partition, offset, received_at, value_base64,
 * headers}`. A value too large for the topic is cut and the letter says `value_truncated: true`;
 * topic, partition and offset still point to the whole. Guarantee: exactly once for a read_committed
 * reader, where the record came from a transactional source; else at least once.
 */
export function kafkaDeadLetters(
  kafka: Kafka,
  options: { readonly topic?: string } = {},
): KafkaDeadLetters {
  const name = options.topic ?? DEAD_LETTER_TOPIC
  const topic = new KafkaTopic(kafka, { topic: name, messageBytesMax: LETTER_BYTES_MAX })
  return {
    name: "kafka_dead_letters",
    guarantee: "at-least-once",
    concurrency: 256,
    produces: { topic: name, messageBytesMax: LETTER_BYTES_MAX + FRAMING_BYTES, cut: cutMessage },
    async write(letter) {
      const message = letterMessage(name, letter)
      try {
        await topic.publish(message)
      } catch (error) {
        if (!(error instanceof TooLargeError)) throw error
        await topic.publish(cutMessage(message))
      }
    },
    message(letter) {
      const message = letterMessage(name, letter)
      return Buffer.byteLength(message.value) > LETTER_BYTES_MAX ? cutMessage(message) : message
    },
    close: () => topic.close(),
  }
}

function letterMessage(topic: string, letter: DeadLetter): OutgoingMessage {
  return { topic, key: letter.record.key, value: JSON.stringify(letterDocument(letter)) }
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

/** @param message as `letterMessage` made it */
function cutMessage(message: OutgoingMessage): OutgoingMessage {
  const letter = JSON.parse(message.value) as ReturnType<typeof letterDocument>
  const value = letter.value_base64.slice(0, CUT_BASE64_CHARACTERS)
  const cut = { ...letter, value_base64: value, headers: {}, value_truncated: true }
  return { ...message, value: JSON.stringify(cut) }
}
