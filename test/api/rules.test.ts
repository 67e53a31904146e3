import { describe, expect, test } from "bun:test"
import type { RuleOperations } from "../../src/api/rule-operations.ts"
import {
  decisionAnswer,
  driftAnswer,
  proposeAnswer,
  ruleAnswer,
  rulesAnswer,
  withdrawAnswer,
} from "../../src/api/rule-schemas.ts"
import { createReader } from "../../src/api/schemas.ts"
import {
  RuleProtectedError,
  RuleStateError,
  RuleUnknownError,
  UnavailableError,
} from "../../src/errors.ts"
import type { StoredRule } from "../../src/rule.ts"
import { RuleRefusedError } from "../../src/rules/rule-refused-error.ts"
import type { SimulationJob } from "../../src/simulation-result.ts"
import { expectError, start } from "../support/api-client.ts"
import { someRule } from "../support/some-rule.ts"

const BASE = "/api/v1/sentinel"
const TOKEN = "t0ken-of-the-test"
const AUTHORIZED = { headers: { authorization: `Bearer ${TOKEN}` } }
const ID = "sentinel-sql-0001"

const stored: StoredRule = {
  rule: someRule(),
  state: "pending_review",
  history: [{ state: "pending_review", at: "2026", by: "policy", note: "unsure" }],
}
const takenOut = { gatekeeper: "silent", stillEnforced: 2 } as const
const proposal = {
  payload: { type: "sql_injection", value: "' OR 1=1--" },
  sim_result: { verdict: "exploit_possible", simulation_id: "sim-1" },
}

function rules(changed: Partial<RuleOperations> = {}, known?: SimulationJob) {
  const calls: unknown[] = []
  const note = <T>(answer: T, ...call: readonly unknown[]) => {
    calls.push(call)
    return answer
  }
  const parts: RuleOperations = {
    get: (id) => (id === ID ? stored : undefined),
    query: (query) => note({ items: [stored], cursor: "next" }, "query", query),
    propose: async (asked, job) =>
      note(
        { rule: stored.rule, decision: { decision: "pending_review", reasons: ["a", "b"] } },
        ...["propose", asked, job],
      ),
    apply: async (id, forced) =>
      note({ decision: "logged_only", reasons: ["unsure"] }, "apply", id, forced),
    review: async (id, state, review) =>
      note({ stored: { ...stored, state }, takenOut }, "review", id, state, review),
    withdrawAll: async (review) => note({ withdrawn: 3, takenOut }, "withdraw", review),
    reconcile: async () =>
      note({
        isReachable: true,
        missing: ["m"],
        changed: [],
        surplus: [],
        foreign: ["f"],
        failures: [],
      }),
    ...changed,
  }
  const simulations = {
    submit: () => Promise.reject(new UnavailableError("the sandbox")),
    byId: (id: string) => (id === "sim-1" ? known : undefined),
    query: () => ({ items: [], cursor: undefined }),
  }
  const operating = { deadLetters: undefined, topology: undefined, rules: parts, simulations }
  return { operating, calls }
}

describe("rules", () => {
  test("GET rules lists by state and page, to who has the token", async () => {
    const { operating, calls } = rules()
    const { send } = start({ operating, apiToken: TOKEN })
    expectError(await send(`${BASE}/rules`), [401, "UNAUTHORIZED"])
    const { json } = await send(`${BASE}/rules?state=active&limit=2&cursor=c`, AUTHORIZED)
    expect(json).toEqual({
      rules: [{ ...stored.rule, state: "pending_review" }],
      ...{ count: 1, cursor: "next" },
    })
    expect(createReader(rulesAnswer)(json)).toEqual(json)
    expect(calls).toEqual([["query", { state: "active", limit: 2, cursor: "c" }]])
    const bad = await send(`${BASE}/rules?state=on`, AUTHORIZED)
    expectError(bad, [422, "MALFORMED", "state"])
  })

  test("GET rules/{id} answers with provenance and history", async () => {
    const { operating } = rules()
    const { send } = start({ operating, apiToken: TOKEN })
    expectError(await send(`${BASE}/rules/${ID}`), [401, "UNAUTHORIZED"])
    const { json } = await send(`${BASE}/rules/${ID}`, AUTHORIZED)
    expect(json).toEqual(stored)
    expect(createReader(ruleAnswer)(json)).toEqual(json)
    expectError(await send(`${BASE}/rules/other`, AUTHORIZED), [404, "NOT_FOUND"])
  })

  test("POST rule-propose makes a rule from what is exploitable alone", async () => {
    const job: SimulationJob = {
      ...{ simulation_id: "sim-1", session_id: "s", status: "completed", queued_at: "2026" },
      payload: { type: "sql_injection", value: "' OR 1=1--" },
    }
    const { operating, calls } = rules({}, job)
    const { post } = start({ operating })
    const { json } = await post(`${BASE}/rule-propose`, proposal)
    expect(json).toEqual({
      ...{ rule: stored.rule, message: "a; b", recommendation: "manual_review" },
    })
    expect(createReader(proposeAnswer)(json)).toEqual(json)
    const payload = { ...proposal.payload, location: "", confidence: undefined }
    expect(calls).toEqual([
      ["propose", { payload, result: { simulationId: "sim-1", severity: 5 } }, job],
    ])
    const unproven = { ...proposal, sim_result: { verdict: "exploit_improbable" } }
    expectError(await post(`${BASE}/rule-propose`, unproven), [400, "NOT_EXPLOITABLE"])
    const benign = { ...proposal, payload: { type: "benign", value: "x" } }
    expectError(await post(`${BASE}/rule-propose`, benign), [422, "MALFORMED", "payload.type"])
  })

  test("POST rule-propose of a simulation that the store does not know passes none on", async () => {
    const { operating, calls } = rules()
    const { post } = start({ operating })
    const sim_result = { verdict: "exploit_possible", simulation_id: "other", severity: 9 }
    expect((await post(`${BASE}/rule-propose`, { ...proposal, sim_result })).status).toBe(200)
    expect(calls[0]).toMatchObject([
      "propose",
      { result: { simulationId: "other", severity: 9 } },
      undefined,
    ])
  })

  test("POST rule-propose says why no rule can be made", async () => {
    const refuse = () => Promise.reject(new RuleRefusedError("it meets benign requests"))
    const { operating } = rules({ propose: refuse })
    const answer = await start({ operating }).post(`${BASE}/rule-propose`, proposal)
    expectError(answer, [422, "RULE_REFUSED", "rule.match.pattern"])
    expect(answer.json.error.message).toContain("it meets benign requests")
  })

  test("POST rule-apply answers with the decision, and says who forces it", async () => {
    const { operating, calls } = rules()
    const { post } = start({ operating })
    const { json } = await post(`${BASE}/rule-apply`, { rule_id: ID })
    expect(json).toEqual({
      ...{ decision: "logged_only", reason: "unsure", rule_id: ID, confidence: 0.95 },
    })
    expect(createReader(decisionAnswer)(json)).toEqual(json)
    await post(`${BASE}/rule-apply`, { rule_id: ID, force: true })
    const review = { reviewer: "ana", note: "seen it" }
    await post(`${BASE}/rule-apply`, { rule_id: ID, force: true, ...review })
    await post(`${BASE}/rule-apply`, { rule_id: ID, ...review })
    expect(calls).toEqual([
      ["apply", ID, undefined],
      ["apply", ID, { reviewer: "api", note: "" }],
      ["apply", ID, review],
      ["apply", ID, undefined],
    ])
    const policy = { rule_id: ID, force: true, reviewer: "policy" }
    expectError(await post(`${BASE}/rule-apply`, policy), [422, "MALFORMED", "reviewer"])
    expectError(await post(`${BASE}/rule-apply`, {}), [422, "MALFORMED", "rule_id"])
  })

  test("POST rules/{id}/approve, reject and expire need a reviewer, and keep the note", async () => {
    const { operating, calls } = rules()
    const { post } = start({ operating })
    for (const [word, state] of [
      ["approve", "approved"],
      ["reject", "rejected"],
      ["expire", "expired"],
    ] as const) {
      const review = { reviewer: "ana", note: "seen" }
      const { json } = await post(`${BASE}/rules/${ID}/${word}`, review)
      expect(json).toMatchObject({ state })
      expect(calls.at(-1)).toEqual(["review", ID, state, review])
    }
    const nobody = await post(`${BASE}/rules/${ID}/approve`, { note: "x" })
    expectError(nobody, [422, "MALFORMED", "reviewer"])
    const policy = await post(`${BASE}/rules/${ID}/approve`, { reviewer: " policy" })
    expectError(policy, [422, "MALFORMED", "reviewer"])
  })

  test("a review that is not possible is told apart from an unknown rule", async () => {
    const reasons = [
      [new RuleUnknownError(), 404, "RULE_UNKNOWN"],
      [new RuleStateError("replaced"), 409, "RULE_STATE"],
      [new RuleProtectedError(), 409, "RULE_PROTECTED"],
    ] as const
    for (const [reason, status, code] of reasons) {
      const { operating } = rules({ review: () => Promise.reject(reason) })
      const answer = await start({ operating }).post(`${BASE}/rules/x/approve`, { reviewer: "a" })
      expectError(answer, [status, code, "rule_id"])
    }
  })

  test("POST rules-withdraw counts, POST rules-reconcile tells the drift", async () => {
    const { operating } = rules()
    const { post, send } = start({ operating, apiToken: TOKEN })
    const closed = await post(`${BASE}/rules-withdraw`, { reviewer: "ana" })
    expectError(closed, [401, "UNAUTHORIZED"])
    const body = JSON.stringify({ reviewer: "ana" })
    const headers = { ...AUTHORIZED.headers, "content-type": "application/json" }
    const withdrawn = await send(`${BASE}/rules-withdraw`, { method: "POST", body, headers })
    expect(createReader(withdrawAnswer)(withdrawn.json)).toEqual({
      ...{ withdrawn: 3, still_enforced: 2, gatekeeper: "silent" },
    })
    const drift = await send(`${BASE}/rules-reconcile`, { method: "POST", ...AUTHORIZED })
    expect(createReader(driftAnswer)(drift.json)).toEqual(drift.json)
    expect(drift.json).toMatchObject({ reachable: true, missing: ["m"] })
  })

  test("a process that makes no rules says so", async () => {
    const answer = await start().send(`${BASE}/rules`)
    expectError(answer, [503, "UNAVAILABLE"])
  })
})
