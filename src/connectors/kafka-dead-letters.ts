import type { DeadLetter, MessageSink, OutgoingMessage } from "../stream/types.ts"
import type { ProducedTopic } from "./kafka-requests.ts"

export const DEAD_LETTER_TOPIC = "sentinel.dead_letter"

/** Room for the base64 of the largest record that Kafka takes by default (1 MiB). */
const LETTER_BYTES_MAX = 2_000_000
/** What a batch adds to its messages. */
const FRAMING_BYTES = 48_588

/** What is kept of a value whose letter the topic does not take: it may have a smaller limit. */
const CUT_VALUE_BYTES = 499_998
/** Whole groups of three bytes. */
const CUT_BASE64_CHARACTERS = (CUT_VALUE_BYTES / 3) * 4

export interface KafkaDeadLetters extends MessageSink<DeadLetter> {
  /** Its topic, for whoever sends what `message` makes. */
  readonly produces: ProducedTopic
}

/**
 * Publishes dead letters to `sentinel.dead_letter`, under the key of the record as received.
 *
 * Value: `{code, operator, message, attempts, topic, partition, offset, received_at, value_base64,
 * headers}`. A value too large for the topic is cut and the letter says `value_truncated: true`;
 * topic, partition and offset still point to the whole. Guarantee: exactly once for a read_committed
 * reader, where the record came from a transactional source; else at least once.
 */
export function kafkaDeadLetters(): KafkaDeadLetters {
  return {
    name: "kafka_dead_letters",
    produces: {
      topic: DEAD_LETTER_TOPIC,
      messageBytesMax: LETTER_BYTES_MAX + FRAMING_BYTES,
      cut: cutMessage,
    },
    message(letter) {
      const message = letterMessage(letter)
      return Buffer.byteLength(message.value) > LETTER_BYTES_MAX ? cutMessage(message) : message
    },
  }
}

function letterMessage(letter: DeadLetter): OutgoingMessage {
  const value = JSON.stringify(letterDocument(letter))
  return { topic: DEAD_LETTER_TOPIC, key: letter.record.key, value }
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
