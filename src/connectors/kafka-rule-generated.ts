import type { DecidedRule, RecordedTask } from "../simulation-result.ts"
import type { WritingSink } from "../stream/types.ts"
import type { Kafka } from "./kafka-client.ts"
import { KafkaPublisher } from "./kafka-publisher.ts"

export const RULE_GENERATED_TOPIC = "events.rule_generated"

/**
 * Publishes each rule and what was decided about it to `events.rule_generated`; key = session id.
 *
 * At least once: a repeated message has the same event id.
 * @throws TooLargeError, not retryable; UnavailableError, retryable
 */
export function kafkaRuleGenerated(
  kafka: Kafka,
  options: { readonly topic?: string } = {},
): WritingSink<RecordedTask> {
  const topic = options.topic ?? RULE_GENERATED_TOPIC
  const publisher = new KafkaPublisher(kafka, [{ topic }])
  return {
    name: "publish_rule",
    guarantee: "at-least-once",
    concurrency: 16,
    async write({ task, rules = [] }, { signal }) {
      const messages = rules.map((decided) => ({
        ...{ topic, key: task.sessionId },
        value: JSON.stringify(ruleGeneratedEvent(decided, task)),
      }))
      await publisher.publish(messages, signal)
    },
    close: () => publisher.close(),
  }
}

/** The event as its neighbours read it (contract, section 3). */
export function ruleGeneratedEvent(
  { rule, decision, reasons }: DecidedRule,
  { sessionId, eventId, verdict }: RecordedTask["task"],
) {
  return {
    event_id: `rule_generated-${rule.rule_id}-${eventId}`,
    timestamp: rule.created_at,
    source: "sentinel",
    event_type: "rule_generated",
    session_id: sessionId,
    client_ip: verdict?.context.attacker_ip ?? null,
    meta: {
      evidence_event_id: rule.audit.event_id ?? null,
      evidence_sha256: rule.audit.evidence_sha256 ?? null,
      simulation_id: rule.evidence.simulation_id,
    },
    rule,
    action: decision,
    reason: reasons.join("; "),
  }
}
