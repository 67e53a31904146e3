import type { ModelDecision } from "../model-traffic.ts"
import type { Kafka } from "./kafka-client.ts"
import { KafkaPublisher } from "./kafka-publisher.ts"

export const MODEL_CHANGED_TOPIC = "events.model_changed"
/** All decisions stand in one partition, in their order. */
const KEY = "models"

export type ModelChangedEvent = ReturnType<typeof modelChangedEvent>

/** Publishes decisions about models to `events.model_changed`; a repeated message has the same event id. */
export function kafkaModelChanged(kafka: Kafka, options: { readonly topic?: string } = {}) {
  const topic = options.topic ?? MODEL_CHANGED_TOPIC
  const publisher = new KafkaPublisher(kafka, [{ topic }])
  return {
    /** Resolves once it is durable. @throws UnavailableError; the signal's reason */
    publish: (event: ModelChangedEvent, signal: AbortSignal): Promise<void> =>
      publisher.publish([{ topic, key: KEY, value: JSON.stringify(event) }], signal),
    close: (): Promise<void> => publisher.close(),
  }
}

/** The event as it is written (docs/SERVING.md). @param host which machine's model was changed */
export function modelChangedEvent(decision: ModelDecision, host: string) {
  const { modelId, from, to, percent, reason, guard, live, revision, at } = decision
  return {
    event_id: `model_changed-${host}-${at}-${modelId}-${to}`,
    timestamp: at,
    source: "sentinel",
    event_type: "model_changed",
    // it is about no session: readers of the other events find the members that they expect
    session_id: null,
    client_ip: null,
    meta: { host, live, revision },
    ...{ model_id: modelId, from, to, canary_percent: percent, reason, guard: guard ?? null },
  }
}
