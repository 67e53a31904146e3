import { describe, expect, test } from "bun:test"
import { SandboxUnavailableError } from "../../src/errors.ts"
import { minimisePayloads } from "../../src/operators/minimise-payload.ts"
import { scoreExploits } from "../../src/operators/score-exploit.ts"
import { simulatePayloads } from "../../src/operators/simulate-payloads.ts"
import { type FakeSandbox, fakeSandbox, leaksFor } from "../support/fake-sandbox.ts"
import { operatorContext } from "../support/operator-context.ts"
import { simulationSubject } from "../support/simulation-subject.ts"

const task = { eventId: "event-1", sessionId: "s", priority: 5, eventTimeMs: 0 }
const LONG = `${"filler word ".repeat(20)}x' OR 1=1--${" more filler".repeat(20)}`

interface Options {
  readonly values?: readonly string[]
  readonly nowMs?: number
  readonly fail?: boolean
  readonly onJudged?: () => void
}

async function minimised(sandbox: FakeSandbox, options: Options = {}) {
  const { values = [LONG], nowMs = 0, fail = false, onJudged } = options
  const clock = { nowMs: () => nowMs }
  const context = operatorContext()
  const subjects = values.map((value) => simulationSubject({ value }))
  const planned = { task, subjects, known: [], startedMs: 0, deadlineMs: 1 }
  const simulated = await simulatePayloads({
    ...{ sandbox, concurrency: 1 },
    clock: { nowMs: () => 0 },
  }).process(planned, context)
  const judged = await scoreExploits().process(simulated, context)
  const before = sandbox.requests.length
  if (fail) sandbox.failures.push(new SandboxUnavailableError("away"))
  const minimise = minimisePayloads({ sandbox, clock, concurrency: 1, onJudged })
  const [one] = (await minimise.process(judged, context)).judged
  return { result: one?.result, runs: sandbox.requests.length - before }
}

describe("minimisePayloads", () => {
  test("minimisePayloads cuts a payload to what has the effect, and proves with that", async () => {
    const sandbox = fakeSandbox(leaksFor("OR 1=1"))
    const { result, runs } = await minimised(sandbox)
    expect(result?.minimised_payload).toBe("OR 1=1")
    expect(result?.reproduction_steps[0]).toStartWith("printf 'OR 1=1' | ")
    expect(runs).toBeLessThanOrEqual(80)
    expect(sandbox.requests.slice(2).every(({ templates }) => templates?.[0] === "quoted")).toBe(
      true,
    )
  })

  test("minimisePayloads stays within its runs and keeps what it has", async () => {
    const needs = (payload: string) =>
      [..."abcdefghij"].every((letter) => payload.includes(`[${letter}]`))
    const value = [..."abcdefghij"].map((letter) => `[${letter}] filler `).join("")
    const all = leaksFor("")
    const sandbox = fakeSandbox((request) => (needs(request.payload) ? all(request) : {}))
    const { result, runs } = await minimised(sandbox, { values: [value] })
    expect(runs).toBe(80)
    expect(needs(result?.minimised_payload ?? "")).toBe(true)
  })

  test("minimisePayloads begins nothing after the deadline, or without a sandbox", async () => {
    const late = await minimised(fakeSandbox(leaksFor("OR 1=1")), { nowMs: 1 })
    expect(late).toMatchObject({ runs: 0, result: { minimised_payload: LONG } })
    const away = await minimised(fakeSandbox(leaksFor("OR 1=1")), { fail: true })
    expect(away).toMatchObject({ runs: 0, result: { verdict: "exploit_possible" } })
  })

  test("minimisePayloads tells of each result before it begins with the next", async () => {
    const sandbox = fakeSandbox(leaksFor("OR 1=1"))
    const told: number[] = []
    const onJudged = () => told.push(sandbox.requests.length)
    await minimised(sandbox, { values: [LONG, "x", "' OR 1=1"], onJudged })
    expect(told).toHaveLength(3)
    expect(told[0]).toBe(told[1] ?? 0)
    expect(told[2]).toBeGreaterThan(told[1] ?? 0)
  })

  test("minimisePayloads leaves a payload without a proof alone", async () => {
    const { result, runs } = await minimised(fakeSandbox(leaksFor("never")))
    expect(runs).toBe(0)
    expect(result).not.toHaveProperty("minimised_payload")
  })
})
