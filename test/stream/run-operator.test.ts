import { describe, expect, test } from "bun:test"
import { HashMismatchError } from "../../src/errors.ts"
import { OperatorFailure, OperatorTimeoutError } from "../../src/stream/failures.ts"
import { OperatorRunner } from "../../src/stream/run-operator.ts"
import type { Operator } from "../../src/stream/types.ts"
import { FakeClock } from "../support/fake-clock.ts"
import { listObserver } from "../support/list-sink.ts"
import { operatorContext } from "../support/operator-context.ts"

const TIMEOUT_MS = 1_000

function runnerOf(operator: Operator<never, unknown>) {
  const clock = new FakeClock()
  const retry = { attemptsMax: 1, baseMs: 0, capMs: 0 }
  const parts = { clock, observer: listObserver(), random: () => 0.5, retry }
  return { clock, runner: new OperatorRunner(operator, parts) }
}

describe("OperatorRunner", () => {
  test("a call that outlasts its timeout fails, and its signal says why", async () => {
    const ended = Promise.withResolvers<unknown>()
    const { clock, runner } = runnerOf({
      name: "slow",
      timeoutMs: TIMEOUT_MS,
      process(_, { signal }) {
        signal.addEventListener("abort", () => ended.resolve(signal.reason))
        return new Promise(() => undefined)
      },
    })
    const outcome = Promise.allSettled([runner.run(1, operatorContext())])
    const [failed] = await clock.settle(outcome)
    expect(failed?.status === "rejected" && failed.reason).toBeInstanceOf(OperatorFailure)
    expect(await ended.promise).toBeInstanceOf(OperatorTimeoutError)
  })

  test("the signal of a call with a timeout is aborted with that of its record", () => {
    const record = new AbortController()
    const { runner } = runnerOf({
      name: "abandoned",
      timeoutMs: TIMEOUT_MS,
      process(_, { signal }) {
        record.abort(new Error("given back"))
        return signal.aborted
      },
    })
    expect(runner.run(1, operatorContext(record.signal))).toBe(true)
  })

  test("OperatorRunner throws at once what fails for good at once", () => {
    const { runner } = runnerOf({
      name: "picky",
      process() {
        throw new HashMismatchError("sha256")
      },
    })
    expect(() => runner.run(1, operatorContext())).toThrow(OperatorFailure)
    expect(runner.gate.inside).toBe(0)
  })

  test("what a flow inside the operator gave up on is not tried again", async () => {
    const inner = new OperatorFailure("inner", 4, new OperatorTimeoutError("inner", TIMEOUT_MS))
    const { runner } = runnerOf({ name: "outer", process: () => Promise.reject(inner) })
    await expect(runner.run(1, operatorContext()) as Promise<unknown>).rejects.toBe(inner)
  })
})
