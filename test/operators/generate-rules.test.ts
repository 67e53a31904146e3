import { describe, expect, test } from "bun:test"
import { SandboxUnavailableError } from "../../src/errors.ts"
import {
  type GenerateRulesParts,
  generateRules,
  type RuleOrder,
  worksAs,
} from "../../src/operators/generate-rules.ts"
import { scoreExploits } from "../../src/operators/score-exploit.ts"
import { simulatePayloads } from "../../src/operators/simulate-payloads.ts"
import { RuleRefusedError } from "../../src/rules/rule-refused-error.ts"
import { fakeSandbox, leaksFor } from "../support/fake-sandbox.ts"
import { operatorContext } from "../support/operator-context.ts"
import { simulationSubject } from "../support/simulation-subject.ts"
import { someRule } from "../support/some-rule.ts"

const task = { eventId: "event-1", sessionId: "s", priority: 5, eventTimeMs: 0 }
const DECISION = { decision: "auto_applied", reasons: ["sure"] } as const

async function generated(
  values: readonly string[],
  changed: Partial<GenerateRulesParts> = {},
  signal?: AbortSignal,
) {
  const sandbox = fakeSandbox(leaksFor("OR 1=1"))
  const clock = { nowMs: () => 0 }
  const context = { ...operatorContext(), ...(signal && { signal }) }
  const subjects = values.map((value, index) =>
    simulationSubject({ value, simulationId: `sim-${index}` }),
  )
  const planned = { task, subjects, known: [], startedMs: 0, deadlineMs: 1 }
  const trying = simulatePayloads({ sandbox, clock, concurrency: 1 })
  const simulated = await trying.process(planned, operatorContext())
  const { judged } = await scoreExploits().process(simulated, operatorContext())
  const orders: RuleOrder[] = []
  const refused: string[] = []
  const operator = generateRules({
    ...{ sandbox, clock, concurrency: 1 },
    async make(order) {
      orders.push(order)
      return someRule({ rule_id: `rule-${order.subject.simulationId}` })
    },
    decide: async () => DECISION,
    onRefused: ({ simulationId }, code) => refused.push(`${simulationId} ${code}`),
    ...changed,
  })
  const stored = { task, judged, completed: [], deadlineMs: 1 }
  return { ...(await operator.process(stored, context)), orders, refused, sandbox }
}

describe("generateRules", () => {
  test("generateRules makes a rule of each proven exploit, and none of what is not proven", async () => {
    const { rules, orders } = await generated(["x' OR 1=1--", "harmless", "OR 1=1"])
    expect(rules).toEqual([
      { rule: someRule({ rule_id: "rule-sim-0" }), ...DECISION },
      { rule: someRule({ rule_id: "rule-sim-2" }), ...DECISION },
    ])
    expect(orders.map(({ isProven }) => isProven)).toEqual([true, true])
  })

  test("works asks a twin in the template of the proof alone", async () => {
    const { orders, sandbox } = await generated(["x' OR 1=1--"])
    const before = sandbox.requests.length
    expect(await orders[0]?.works("a OR 1=1 b")).toBe(true)
    expect(await orders[0]?.works("nothing")).toBe(false)
    const asked = sandbox.requests.slice(before)
    expect(asked.map(({ templates }) => templates)).toEqual([["quoted"], ["quoted"]])
  })

  test("works asks the same program without its decoding as well", async () => {
    const sandbox = fakeSandbox(() => ({}))
    const subject = simulationSubject({ class: "command_injection" })
    const proof = { template: "dash/bare/url-decoded", effect: "command_run" } as const
    const { signal } = operatorContext()
    await worksAs(proof, subject, { sandbox, signal })("; id")
    expect(sandbox.requests[0]?.templates).toEqual(["dash/bare/url-decoded", "dash/bare"])
  })

  test("an exploit without a rule is told of, and goes on", async () => {
    const make = () => Promise.reject(new RuleRefusedError("it meets benign requests"))
    const { rules, refused } = await generated(["OR 1=1"], { make })
    expect([rules, refused]).toEqual([[], ["sim-0 RULE_REFUSED"]])
    const away = () => Promise.reject(new SandboxUnavailableError("away"))
    const other = await generated(["OR 1=1"], { make: away })
    expect(other.refused).toEqual(["sim-0 SANDBOX_UNAVAILABLE"])
  })

  test("after the task's deadline no rule is begun", async () => {
    const { orders, refused } = await generated(["OR 1=1"], { clock: { nowMs: () => 1 } })
    expect([orders, refused]).toEqual([[], ["sim-0 DEADLINE"]])
  })

  test("a bug and an abandoned task are no refusals", async () => {
    const bug = () => Promise.reject(new TypeError("a bug"))
    await expect(generated(["OR 1=1"], { make: bug })).rejects.toThrow(TypeError)
    const make = () => Promise.reject(new RuleRefusedError("too late"))
    const aborted = generated(["OR 1=1"], { make }, AbortSignal.abort())
    await expect(aborted).rejects.toThrow(RuleRefusedError)
  })
})
