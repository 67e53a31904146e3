import type { ExplainedVerdict } from "../events.ts"
import type { Sink } from "../stream/types.ts"
import type { Kafka } from "./kafka-client.ts"
import { KafkaTopic } from "./kafka-topic.ts"

export const VERDICT_TOPIC = "events.verdicts"

/**
 * Publishes each verdict to `events.verdicts`.
 *
 * In: a verdict with its explanation. Out: one message; key = session id, value = the verdict
 * document as JSON, without the explanation.
 * Guarantee: at least once, in order per session. A repeated message has the same event id; it has
 * the same content where the verdict comes from the store that keeps the first one.
 * @throws TooLargeError, not retryable; UnavailableError, retryable
 */
export function kafkaVerdictSink(
  kafka: Kafka,
  options: { readonly topic?: string } = {},
): Sink<ExplainedVerdict> {
  const topic = new KafkaTopic(kafka, { topic: options.topic ?? VERDICT_TOPIC })
  return {
    name: "publish_verdict",
    guarantee: "at-least-once",
    // one request carries what is inside together, so width costs no requests
    concurrency: 256,
    write: ({ verdict }, { signal }) =>
      topic.publish({ key: verdict.session_id, value: JSON.stringify(verdict) }, signal),
    close: () => topic.close(),
  }
}
