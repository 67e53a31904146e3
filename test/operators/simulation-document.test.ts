import { describe, expect, test } from "bun:test"
import { maskResult, payloadDocument } from "../../src/operators/simulation-document.ts"
import type { SimulationResult } from "../../src/simulation-result.ts"
import { simulationSubject } from "../support/simulation-subject.ts"

function resultOf(value: string): SimulationResult {
  const program = `SELECT 1 FROM users WHERE password = '${value}'`
  return {
    ...{ simulation_id: "sim-1", session_id: "s", payload_id: "p", verdict: "exploit_possible" },
    ...{ attack_type: "sql_injection", exploit_score: 1, score_derivation: [], severity: 9 },
    signals: [{ template: "quoted", effect: "canary_leaked", detail: `ran ${value}` }],
    proof: { template: "quoted", program, effect: "canary_leaked", observed: `saw ${value}` },
    ...{ minimised_payload: value, evidence: [`did ${value}`], affected_resources: [] },
    ...{ reproduction_steps: [`printf '${value}'`], techniques: [], templates_tried: 1 },
    driver: { name: "docker", limits: {} },
    outside: { wall_ms: 1, timed_out: false, out_of_memory: false },
    execution_time_ms: 1,
  }
}

describe("maskResult", () => {
  test("maskResult hides a secret wherever the result quotes it, and says that it is missing", () => {
    const value = "hunter2' OR 1=1--"
    const subject = simulationSubject({ value, location: "form:password" })
    const masked = maskResult(resultOf(value), subject)
    expect(JSON.stringify(masked)).not.toContain("hunter2")
    expect(masked.minimised_payload).toBe("[redacted]' OR 1=1--")
    expect(masked.proof?.program).toEndWith("'[redacted]' OR 1=1--'")
    expect(masked.reproduction_steps.at(-1)).toContain("credentials are masked")
    expect(payloadDocument(subject).value).toBe("[redacted]' OR 1=1--")
  })

  test("maskResult leaves the result of a payload without secrets as it is", () => {
    const value = "x' OR 1=1--"
    expect(maskResult(resultOf(value), simulationSubject({ value }))).toEqual(resultOf(value))
  })

  test("payloadDocument cuts to what people read, and stays well-formed", () => {
    const { value } = payloadDocument(simulationSubject({ value: "😀".repeat(200) }))
    expect([value.length, value.isWellFormed()]).toEqual([256, true])
    expect(payloadDocument(simulationSubject({ value: `x${"😀".repeat(200)}` })).value).toEndWith(
      "�",
    )
  })
})
