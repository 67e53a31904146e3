import { TooLargeError } from "../errors.ts"
import type { DeadLetter, MessageSink, OutgoingMessage } from "../stream/types.ts"
import type { ProducedTopic } from "./kafka-requests.ts"

export const DEAD_LETTER_TOPIC = "sentinel.dead_letter"

/** Room for the base64 of the largest record that Kafka takes by default (1 MiB). */
const LETTER_BYTES_MAX = 2_000_000
/** What a batch adds to its messages. */
const FRAMING_BYTES = 48_588

export interface KafkaDeadLetters extends MessageSink<DeadLetter> {
  /** Its topic, for whoever sends what `message` makes. */
  readonly produces: ProducedTopic
}

/**
 * Publishes dead letters to `sentinel.dead_letter`, under the key of the record as received.
 *
 * Value: `{code, operator, message, attempts, topic, partition, offset, received_at, value_base64,
 * headers}`. A value too large for the topic is cut, and the letter says `value_truncated: true` and the
 * `value_sha256` of the whole, to which topic, partition and offset still point. Guarantee: exactly
 * once for a read_committed reader, where the record came from a transactional source; else at least
 * once.
 */
export function kafkaDeadLetters(): KafkaDeadLetters {
  return {
    name: "kafka_dead_letters",
    produces: {
      topic: DEAD_LETTER_TOPIC,
      messageBytesMax: LETTER_BYTES_MAX + FRAMING_BYTES,
      instead: cutMessage,
    },
    message(letter) {
      const message = letterMessage(letter)
      const isLarge = Buffer.byteLength(message.value) > LETTER_BYTES_MAX
      return isLarge ? cutMessage(message, LETTER_BYTES_MAX) : message
    },
  }
}

/** The letter of a message that its topic does not take: it has no partition there, and no offset. */
export function letterOfMessage(
  { topic, key, value, headers = {} }: OutgoingMessage,
  { bytesMax, nowMs }: { readonly bytesMax: number; readonly nowMs: number },
): DeadLetter {
  const { code, message: reason } = new TooLargeError("message", bytesMax)
  return {
    ...{ code, operator: `publish ${topic}`, message: reason, attempts: 1, failedAtMs: nowMs },
    record: {
      ...{ topic, partition: -1, offset: -1n, key, value: Buffer.from(value), headers },
      ...{ timestampMs: nowMs, receivedAtMs: nowMs },
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

interface CutDocument extends ReturnType<typeof letterDocument> {
  value_truncated?: true
  value_sha256?: string
}

/** @param message as `letterMessage` made it, or cut already */
function cutMessage({ topic, key, value }: OutgoingMessage, bytesMax: number): OutgoingMessage {
  const letter = JSON.parse(value) as CutDocument
  const kept = Buffer.from(letter.value_base64, "base64")
  const value_sha256 =
    letter.value_sha256 ?? new Bun.CryptoHasher("sha256").update(kept).digest("hex")
  const cut: CutDocument = { ...letter, headers: {}, value_truncated: true, value_sha256 }
  const withHead = (bytes: number) =>
    JSON.stringify({ ...cut, value_base64: kept.subarray(0, bytes).toString("base64") })
  const room = bytesMax - Buffer.byteLength(withHead(0)) - Buffer.byteLength(key ?? "")
  return { topic, key, value: withHead(3 * Math.floor(Math.max(0, room) / 4)) }
}
