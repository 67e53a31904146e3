import type { AlertTarget } from "../alert.ts"
import { asKafkaError, type Kafka } from "./kafka-client.ts"
import { KafkaTopic } from "./kafka-topic.ts"

export const ALERT_TOPIC = "cerberus.alerts"

/**
 * Publishes alerts to `cerberus.alerts`; key = the group's key, so that all about one attacker and
 * campaign stand in order. At least once: a repeated message has the same event id.
 */
export function kafkaAlerts(kafka: Kafka, options: { readonly topic?: string } = {}): AlertTarget {
  const topic = new KafkaTopic(kafka, { topic: options.topic ?? ALERT_TOPIC })
  return {
    name: "kafka",
    async deliver(alert, signal) {
      try {
        await topic.publish({ key: alert.group_key, value: JSON.stringify(alert) }, signal)
        return { outcome: "delivered" }
      } catch (error) {
        signal.throwIfAborted()
        const { code, retryable } = asKafkaError(error)
        return { outcome: retryable ? "retry" : "refused", code }
      }
    },
    close: () => topic.close(),
  }
}
