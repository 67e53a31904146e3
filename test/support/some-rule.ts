import type { Rule } from "../../src/rule.ts"

/** A rule that the policy would apply by itself, with the fields that a test is about. */
export function someRule(fields: Partial<Rule> = {}): Rule {
  return {
    rule_id: "sentinel-sql-0001",
    created_by: "sentinel",
    created_at: "2026-01-02T03:04:05.000Z",
    valid_from: "2026-01-02T03:04:05.000Z",
    expires_at: "2026-02-01T03:04:05.000Z",
    priority: 900,
    match: {
      type: "regex",
      pattern: "[uU][nN][iI][oO][nN][ +]{1,8}[sS][eE][lL]",
      location: ["args", "body"],
      flags: { caseless: false },
    },
    action: "block",
    confidence: 0.95,
    evidence: {
      simulation_id: "sim-1",
      sample_payloads: ["' union select 1"],
      severity: 9,
      attack_type: "sql_injection",
    },
    audit: {
      event_id: "event-1",
      session_id: "session-1",
      evidence_sha256: "0".repeat(64),
      integrity: "verified",
      model: "payload-linear/1.2.0",
      verdict: "simulate",
      simulated: true,
      simulation_signals: ["canary_leaked in select_single_quoted"],
      techniques: ["T1190"],
      tokens: [["keyword", "keyword"]],
      coverage: { variants: 20, matched: 20, held_out: 20, held_out_matched: 19 },
      benign: { corpora: { generated: 100_000 }, matched: 0, false_positive_rate_max: 0.00003 },
      confidence: [{ reason: "all", value: 0.95 }],
      limits: [],
      replaces: [],
    },
    enabled: true,
    ...fields,
  }
}
