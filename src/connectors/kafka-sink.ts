import { TooLargeError } from "../errors.ts"
import type { ExplainedVerdict } from "../events.ts"
import type { OutgoingMessage, Sink } from "../stream/types.ts"
import { type Kafka, MESSAGE_BYTES_MAX } from "./kafka-client.ts"
import { KafkaTopic } from "./kafka-topic.ts"

export const VERDICT_TOPIC = "events.verdicts"

/**
 * Publishes each verdict to `events.verdicts`.
 *
 * In: a verdict with its explanation. Out: one message; key = session id, value = the verdict
 * document as JSON, without the explanation.
 * Guarantee: exactly once for a read_committed reader, where the evidence came from a transactional
 * source; else at least once, a repeated message with the same event id, and with the same content
 * where the verdict comes from the store that keeps the first one. In order per session.
 * @throws TooLargeError, not retryable; UnavailableError, retryable
 */
export function kafkaVerdictSink(
  kafka: Kafka,
  options: { readonly topic?: string } = {},
): Sink<ExplainedVerdict> {
  const name = options.topic ?? VERDICT_TOPIC
  const topic = new KafkaTopic(kafka, { topic: name })
  return {
    name: "publish_verdict",
    guarantee: "at-least-once",
    // one request carries what is inside together, so width costs no requests
    concurrency: 256,
    write: async (verdict, { signal }) => topic.publish(verdictMessage(name, verdict), signal),
    message: (verdict) => verdictMessage(name, verdict),
    close: () => topic.close(),
  }
}

function verdictMessage(topic: string, { verdict }: ExplainedVerdict): OutgoingMessage {
  const key = verdict.session_id
  const value = JSON.stringify(verdict)
  if (Buffer.byteLength(key) + Buffer.byteLength(value) > MESSAGE_BYTES_MAX) {
    throw new TooLargeError("message", MESSAGE_BYTES_MAX)
  }
  return { topic, key, value }
}
