import { expect, test } from "bun:test"
import { ruleGeneratedEvent } from "../../src/connectors/kafka-rule-generated.ts"
import { verdictOf } from "../support/api-parts.ts"
import { someRule } from "../support/some-rule.ts"

const task = { eventId: "event-1", sessionId: "session-1", priority: 5, eventTimeMs: 0 }
const decided = {
  rule: someRule(),
  decision: "pending_review",
  reasons: ["confidence below 0.9", "SENTINEL_AUTO_APPLY is off"],
} as const

test("ruleGeneratedEvent has the fields of the contract, and the same id when it is repeated", () => {
  const verdict = { ...verdictOf("event-1", "session-1") }
  const seen = { ...verdict, context: { ...verdict.context, attacker_ip: "192.0.2.7" } }
  const event = ruleGeneratedEvent(decided, { ...task, verdict: seen })
  expect(event).toEqual({
    event_id: "rule_generated-sentinel-sql-0001-event-1",
    timestamp: "2026-01-02T03:04:05.000Z",
    source: "sentinel",
    event_type: "rule_generated",
    session_id: "session-1",
    client_ip: "192.0.2.7",
    meta: {
      evidence_event_id: "event-1",
      evidence_sha256: "0".repeat(64),
      simulation_id: "sim-1",
    },
    rule: decided.rule,
    action: "pending_review",
    reason: "confidence below 0.9; SENTINEL_AUTO_APPLY is off",
  })
  expect(ruleGeneratedEvent(decided, { ...task, verdict: seen })).toEqual(event)
})

test("ruleGeneratedEvent says null for what a person's simulation does not have", () => {
  const { event_id, evidence_sha256, ...audit } = decided.rule.audit
  const event = ruleGeneratedEvent({ ...decided, rule: someRule({ audit }) }, task)
  expect(event).toMatchObject({
    client_ip: null,
    meta: { evidence_event_id: null, evidence_sha256: null },
  })
})
