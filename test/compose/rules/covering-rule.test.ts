import { describe, expect, test } from "bun:test"
import { coveringRule } from "../../../src/compose/rules/covering-rule.ts"
import type { Rule, RuleState, StoredRule } from "../../../src/rule.ts"
import { someRule } from "../../support/some-rule.ts"

const match = { ...someRule().match, pattern: "[xX]{3}(?:-|%2[Dd])yes" }
const exploit = { class: "sql_injection", value: "xxx-yes", location: "query:q" } as const

function held(state: RuleState, changed: Partial<Rule> = {}, by = "policy") {
  const move = { state, at: "2026", by, note: "" }
  const stored: StoredRule = { rule: someRule({ match, ...changed }), state, history: [move] }
  return {
    inStates: (states: readonly RuleState[]) => (states.includes(state) ? [stored] : []),
  }
}

describe("coveringRule", () => {
  test("coveringRule finds the rule that matches each way to send the exploit, of its class", () => {
    expect(coveringRule(held("active"), exploit)?.state).toBe("active")
    expect(coveringRule(held("active"), { ...exploit, value: "xxx+yes" })).toBeUndefined()
    expect(coveringRule(held("active"), { ...exploit, class: "xss" })).toBeUndefined()
    // raw it matches, encoded it does not
    const raw = { match: { ...match, pattern: "xxx<yes" } }
    const encodable = { ...exploit, value: "xxx<yes" }
    expect(coveringRule(held("active", raw), encodable)).toBeUndefined()
  })

  test("a decision of a person stands, and so does what waits for one", () => {
    for (const state of ["pending_review", "approved", "rejected"] as const) {
      expect(coveringRule(held(state), exploit)?.state).toBe(state)
    }
    expect(coveringRule(held("expired", {}, "ana"), exploit)?.state).toBe("expired")
  })

  test("a rule that is only logged settles the exploit that it was made from", () => {
    expect(coveringRule(held("logged_only"), exploit)).toBeUndefined()
    const evidence = { ...someRule().evidence, sample_payloads: [exploit.value] }
    expect(coveringRule(held("logged_only", { evidence }), exploit)?.state).toBe("logged_only")
  })

  test("what expired by itself, was replaced, or was never proven settles nothing", () => {
    expect(coveringRule(held("expired"), exploit)).toBeUndefined()
    expect(coveringRule(held("replaced"), exploit)).toBeUndefined()
    const audit = { ...someRule().audit, simulated: false }
    expect(coveringRule(held("pending_review", { audit }), exploit)).toBeUndefined()
    expect(coveringRule(held("active", { audit }), exploit)?.state).toBe("active")
  })
})
