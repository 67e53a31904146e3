import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { RuleProposal } from "../../../src/api/rule-operations.ts"
import { proposeRules } from "../../../src/compose/rules/propose-rules.ts"
import { RuleService } from "../../../src/compose/rules/rule-service.ts"
import type { RuleOrder } from "../../../src/operators/generate-rules.ts"
import type { RuleStore } from "../../../src/ports/rules.ts"
import { NOTHING_PROTECTED } from "../../../src/rules/policy/never-block.ts"
import type { SimulationJob } from "../../../src/simulation-result.ts"
import { openRuleStore } from "../../../src/store/rule-store.ts"
import { storedVerdict } from "../../support/api-parts.ts"
import { fakeSandbox, leaksFor } from "../../support/fake-sandbox.ts"
import { provenResult } from "../../support/proven-result.ts"
import { someRule } from "../../support/some-rule.ts"

/** The policy would apply each of these rules, were it not for what the test is about. */

const known: SimulationJob = {
  ...{ simulation_id: "sim-1", session_id: "session-1", event_id: "event-1", status: "completed" },
  payload: { type: "sql_injection", value: "x' OR 1=1--" },
  ...{ queued_at: "2026", result: provenResult() },
}
let directory: string
let store: RuleStore

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "rules-"))
  store = openRuleStore(directory)
})
afterEach(async () => {
  await store.close()
  rmSync(directory, { recursive: true })
})

function proposal(value = "x' OR 1=1--", simulationId = "sim-1"): RuleProposal {
  const payload = { type: "sql_injection", value, location: "query:q", confidence: 1 } as const
  return { payload, result: { simulationId, severity: 9 } }
}

function proposing() {
  const orders: RuleOrder[] = []
  const reconciler = {
    isDrifting: false,
    run: async () => ({ drift: undefined, failures: [] }),
  }
  const service = new RuleService({
    ...{ store, reconciler, neverBlock: NOTHING_PROTECTED, clock: { nowMs: () => 0 } },
    policy: {
      thresholds: { autoApply: 0.9, review: 0.7 },
      ...{ isAutoApplyOn: true, appliedPerHourMax: 2, timeToLiveMs: 1_000 },
    },
    onDecided: () => undefined,
  })
  const propose = proposeRules({
    ...{ store, service, sandbox: fakeSandbox(leaksFor("OR 1=1")) },
    verdicts: { byEvent: (id) => (id === "event-1" ? storedVerdict(id, "s", 0) : undefined) },
    async make(order) {
      orders.push(order)
      const { task, isProven } = order
      const integrity = task.verdict?.integrity ?? "unknown"
      return someRule({ audit: { ...someRule().audit, integrity, simulated: isProven } })
    },
  })
  return { propose, orders }
}

describe("proposeRules", () => {
  test("a simulation that the store knows is asked for again, with the client's payload", async () => {
    const { propose, orders } = proposing()
    const { decision } = await propose(proposal(), known)
    expect(decision.decision).toBe("auto_applied")
    expect(orders[0]).toMatchObject({ isProven: true, subject: { eventId: "event-1" } })
    expect(await orders[0]?.works("y' OR 1=1--")).toBe(true)
  })

  test("a known simulation vouches for no other payload", async () => {
    const { propose, orders } = proposing()
    const { decision } = await propose(proposal("something else"), known)
    expect(orders[0]?.isProven).toBe(false)
    expect(decision.reasons).toContain("no simulation that Sentinel ran confirms it")
  })

  test("a simulation that the store does not know is believed, and never applied by itself", async () => {
    const { propose, orders } = proposing()
    const { rule, decision } = await propose(proposal("x' OR 1=1--", "of-a-client"), undefined)
    expect(rule.audit.simulated).toBe(false)
    expect(decision.decision).toBe("pending_review")
    expect(orders[0]?.result).toMatchObject({ severity: 9, exploit_score: 0 })
    expect(await orders[0]?.works("x' OR 1=1--")).toBe(false)
  })

  test("an exploit that is covered brings the rule that covers it", async () => {
    const match = { ...someRule().match, pattern: "OR(?:[ +]|%20)1(?:=|%3[Dd])1" }
    const rule = someRule({ rule_id: "covers", match })
    await store.add({ rule, state: "rejected", history: [] })
    const { propose, orders } = proposing()
    const answer = await propose(proposal("OR 1=1"), known)
    expect([answer.rule.rule_id, answer.decision.decision, orders]).toEqual([
      ...["covers", "logged_only"],
      [],
    ])
  })
})
