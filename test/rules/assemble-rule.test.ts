import { describe, expect, test } from "bun:test"
import { scoreExploit } from "../../src/operators/score-exploit.ts"
import { assembleRule, type RuleParts } from "../../src/rules/assemble-rule.ts"
import { RuleRefusedError } from "../../src/rules/rule-refused-error.ts"
import type { SimulationResult } from "../../src/simulation-result.ts"
import { CALM, DESCRIPTION } from "../support/fake-sandbox.ts"

const NOW = Date.parse("2026-01-02T03:04:05.000Z")
const PAYLOAD = "' union select 1"
const SUBJECT = {
  ...{ simulationId: "sim-1", eventId: "event-1", sessionId: "session-1", payloadId: "p-1" },
  ...{ class: "sql_injection" as const, value: PAYLOAD, location: "query:q", confidence: 0.99 },
  truncated: false,
}

/** The result of a run that leaked its canary. */
function proven(): SimulationResult {
  const canary = "c".repeat(32)
  const effects = [{ kind: "canary_leaked" as const, detail: `saw ${canary}` }]
  const request = { id: "1", class: SUBJECT.class, payload: PAYLOAD, location: "query:q", canary }
  const answer = {
    ...{ id: "1", class: SUBJECT.class, templatesTried: 1, controlAttempts: [] },
    attempts: [{ template: "select_quoted", program: "select", effects }],
  }
  const run = { answer, outside: CALM, sandbox: DESCRIPTION }
  return scoreExploit({ subject: SUBJECT, trial: { request: { ...request, budgetMs: 1 }, run } })
}

function parts(fields: Partial<RuleParts> = {}): RuleParts {
  const heldOut = Array.from({ length: 80 }, (_, index) => `${PAYLOAD}${index}`)
  return {
    task: {
      ...{ class: SUBJECT.class, payload: PAYLOAD, minimised: undefined, location: "query:q" },
      ...{ relatives: ["' UNION SELECT 2", "x".repeat(300)], heldOut },
    },
    made: {
      ...{ pattern: "[uU]nion", tokens: [["keyword"]], matched: 1, heldOutMatched: 80 },
      limits: ["other words"],
    },
    result: proven(),
    provenance: {
      evidenceSha256: "ab",
      integrity: "verified",
      simulated: true,
      classification: 0.99,
    },
    corpora: { generated: 100_000, stored: 20 },
    ...{ nowMs: NOW, timeToLiveMs: 86_400_000 },
    ...fields,
  }
}

describe("assembleRule", () => {
  test("assembleRule tells the whole story in the audit", () => {
    const { audit, evidence } = assembleRule(parts())
    expect(audit).toMatchObject({
      ...{ event_id: "event-1", session_id: "session-1", evidence_sha256: "ab", simulated: true },
      simulation_signals: ["canary_leaked in select_quoted"],
      coverage: { variants: 2, matched: 1, held_out: 80, held_out_matched: 80 },
      benign: { corpora: { generated: 100_000, stored: 20 }, matched: 0 },
      ...{ limits: ["other words"], replaces: [], review_at: "2026-01-02T15:04:05.000Z" },
    })
    expect(audit.techniques).toContain("T1190")
    expect(evidence.sample_payloads).toEqual([PAYLOAD, "' UNION SELECT 2"])
  })

  test("assembleRule takes confidence and action from what was measured", () => {
    const sure = assembleRule(parts())
    expect(sure.confidence).toBeGreaterThan(0.9)
    expect(sure.action).toBe("block")
    expect(sure.confidence).toBe(sure.audit.confidence.at(-1)?.value ?? 0)
    const missing = assembleRule(parts({ made: { ...parts().made, heldOutMatched: 60 } }))
    expect(missing.confidence).toBeLessThan(0.2)
    const { task, made } = parts()
    const unmeasured = assembleRule(
      parts({ task: { ...task, heldOut: [] }, made: { ...made, heldOutMatched: 0 } }),
    )
    expect(unmeasured.confidence).toBeLessThan(0.7)
  })

  test("assembleRule gives the same id to the same match, and another to another", () => {
    const { rule_id: id } = assembleRule(parts())
    expect(id).toMatch(/^sentinel-sqli-[0-9a-f]{16}$/)
    expect(assembleRule(parts({ nowMs: NOW + 1 })).rule_id).toBe(id)
    const made = { ...parts().made, pattern: "[uU]nions" }
    expect(assembleRule(parts({ made })).rule_id).not.toBe(id)
  })

  test("assembleRule makes a string of a pattern that matches one text only", () => {
    const made = { ...parts().made, pattern: "union\\.select" }
    expect(assembleRule(parts({ made })).match).toMatchObject({
      ...{ type: "string", pattern: "union.select", flags: { caseless: false } },
    })
    expect(assembleRule(parts()).match.type).toBe("regex")
  })

  test("assembleRule refuses a pattern that must not reach a WAF", () => {
    const made = { ...parts().made, pattern: "(a+)+" }
    expect(() => assembleRule(parts({ made }))).toThrow(RuleRefusedError)
  })
})
