import type { DecidedRule, RecordedTask } from "../simulation-result.ts"
import type { WritingSink } from "../stream/types.ts"
import type { Kafka } from "./kafka-client.ts"
import { kafkaTaskSink } from "./kafka-task-sink.ts"

export const RULE_GENERATED_TOPIC = "events.rule_generated"

/** Publishes each rule and what was decided about it to `events.rule_generated`. */
export function kafkaRuleGenerated(kafka: Kafka): WritingSink<RecordedTask> {
  return kafkaTaskSink(kafka, {
    name: "publish_rule",
    topic: RULE_GENERATED_TOPIC,
    events: ({ task, rules = [] }) => rules.map((decided) => ruleGeneratedEvent(decided, task)),
  })
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
