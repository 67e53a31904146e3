import { TooLargeError } from "../errors.ts"
import type { ExplainedVerdict } from "../events.ts"
import type { MessageSink, OutgoingMessage } from "../stream/types.ts"
import { MESSAGE_BYTES_MAX } from "./kafka-client.ts"

export const VERDICT_TOPIC = "events.verdicts"

/**
 * Publishes each verdict to `events.verdicts`.
 *
 * In: a verdict with its explanation. Out: one message; key = session id, value = the verdict
 * document as JSON, without the explanation.
 * Guarantee: exactly once for a read_committed reader, where the evidence came from a transactional
 * source; else at least once, a repeated message with the same event id, and with the same content
 * where the verdict comes from the store that keeps the first one. In order per session.
 * @throws TooLargeError, not retryable
 */
export function kafkaVerdictSink(): MessageSink<ExplainedVerdict> {
  return { name: "publish_verdict", message: verdictMessage }
}

function verdictMessage({ verdict }: ExplainedVerdict): OutgoingMessage {
  const key = verdict.session_id
  const value = JSON.stringify(verdict)
  if (Buffer.byteLength(key) + Buffer.byteLength(value) > MESSAGE_BYTES_MAX) {
    throw new TooLargeError("message", MESSAGE_BYTES_MAX)
  }
  return { topic: VERDICT_TOPIC, key, value }
}
