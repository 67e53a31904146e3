import { describe, expect, test } from "bun:test"
import { systemClock } from "../src/clock.ts"
import { observeNothing } from "../src/compose/engine-observer.ts"
import { minimisePayloads } from "../src/operators/minimise-payload.ts"
import { planSimulation } from "../src/operators/plan-simulation.ts"
import { scoreExploits } from "../src/operators/score-exploit.ts"
import { simulatePayloads } from "../src/operators/simulate-payloads.ts"
import { buildTrials } from "../src/simulation.ts"
import type { SimulationResult } from "../src/simulation-result.ts"
import { Evaluation } from "../src/stream/evaluate.ts"
import type { SimulatedClass } from "../src/twin-protocol.ts"
import { inProcessSandbox } from "./support/in-process-sandbox.ts"
import { operatorContext } from "./support/operator-context.ts"

/*
 * Goal: what the twins say and what the flow makes of it fit together. Method: the flow with the real
 * twins for SQL and paths, in this process; in containers, test/simulation.integration.test.ts does it.
 */

const trying = { sandbox: inProcessSandbox, clock: systemClock, concurrency: 1 }
const store = { byId: () => undefined, put: async () => undefined }
const flow = buildTrials({
  plan: planSimulation({ store, clock: systemClock, taskTimeoutMs: 60_000 }),
  simulate: simulatePayloads(trying),
  score: scoreExploits(),
  minimise: minimisePayloads(trying),
})

async function results(name: SimulatedClass, ...values: readonly string[]) {
  const suspects = values.map((value) => {
    return {
      payload_id: value,
      value,
      class: name,
      confidence: 1,
      location: "query:q",
      kind: "param",
    }
  })
  const named = { eventId: "event-1", sessionId: "s", priority: 5, eventTimeMs: 0 }
  const value = Buffer.from(JSON.stringify({ ...named, verdict: {}, suspects }))
  const parts = { clock: systemClock, observer: observeNothing, random: Math.random }
  const { record, signal } = operatorContext()
  const { judged } = await new Evaluation(flow, parts).evaluate({ ...record, value }, signal)
  return judged.map(({ result }): SimulationResult => result)
}

describe("buildTrials", () => {
  test("buildTrials proves injections into SQL and shortens them", async () => {
    const [union, stacked] = await results(
      "sql_injection",
      "1 AND 2 = 2 AND 3 = 3 UNION SELECT name, password FROM users-- and words behind",
      "x'; DELETE FROM users; --",
    )
    expect(union).toMatchObject({ verdict: "exploit_possible", attack_type: "sql_injection" })
    expect(union?.exploit_score).toBeGreaterThan(0.9)
    expect(union?.minimised_payload?.length).toBeLessThan(60)
    expect(union?.proof?.program).toContain(union?.minimised_payload ?? "?")
    expect(stacked).toMatchObject({ verdict: "exploit_possible", severity: 9.8 })
  })

  test("buildTrials proves paths that leave the document root", async () => {
    const [result] = await results("path_traversal", "../../../../../../etc/passwd")
    expect(result).toMatchObject({
      ...{ verdict: "exploit_possible", severity: 7.5 },
      techniques: ["T1190", "T1083", "T1005"],
      proof: { effect: "file_opened" },
    })
    expect(result?.minimised_payload?.length).toBeLessThan(28)
  })

  test("buildTrials finds names, sentences and plain paths improbable", async () => {
    const benign = await results("sql_injection", "O'Brien", "select a gift from our catalogue")
    const paths = await results("path_traversal", "images/logo.png", "a..b/c")
    for (const result of [...benign, ...paths]) {
      expect(result).toMatchObject({ verdict: "exploit_improbable", severity: 0 })
      expect(result.exploit_score).toBeLessThanOrEqual(0.1)
    }
  })
})
