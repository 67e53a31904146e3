import type { AlertTarget } from "../alert.ts"
import { asKafkaError, type Kafka } from "./kafka-client.ts"
import { KafkaPublisher } from "./kafka-publisher.ts"

const ALERT_TOPIC = "cerberus.alerts"

/**
 * Publishes alerts to `cerberus.alerts`; key = the group's key, so that all about one attacker and
 * campaign stand in order. At least once: a repeated message has the same event id.
 */
export function kafkaAlerts(kafka: Kafka, options: { readonly topic?: string } = {}): AlertTarget {
  const topic = options.topic ?? ALERT_TOPIC
  const publisher = new KafkaPublisher(kafka, [{ topic }])
  return {
    name: "kafka",
    async deliver(alert, signal) {
      try {
        const message = { topic, key: alert.group_key, value: JSON.stringify(alert) }
        await publisher.publish([message], signal)
        return { outcome: "delivered" }
      } catch (error) {
        signal.throwIfAborted()
        const { code, retryable } = asKafkaError(error)
        return { outcome: retryable ? "retry" : "refused", code }
      }
    },
    close: () => publisher.close(),
  }
}
