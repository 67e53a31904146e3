import { describe, expect, test } from "bun:test"
import { HashMismatchError } from "../../src/errors.ts"
import { DEFAULT_RETRY } from "../../src/stream/backoff.ts"
import { BatchRunner } from "../../src/stream/run-batch.ts"
import { FakeClock } from "../support/fake-clock.ts"
import { listObserver } from "../support/list-sink.ts"
import { operatorContext } from "../support/operator-context.ts"

const context = operatorContext()

/** Doubles numbers; a batch that holds 13 fails, and 13 alone fails for good. */
function doubler(options: { sizeMax: number; lingerMs?: number }) {
  const clock = new FakeClock()
  const calls: (number | number[])[] = []
  const one = (input: number) => {
    if (input === 13) throw new HashMismatchError("thirteen")
    return input * 2
  }
  const operator = {
    name: "double",
    process(input: number) {
      calls.push(input)
      return one(input)
    },
    batch: {
      ...options,
      async process(inputs: readonly number[]) {
        calls.push([...inputs])
        return inputs.map(one)
      },
    },
  }
  const parts = { clock, observer: listObserver(), random: () => 0.5, retry: DEFAULT_RETRY }
  return { runner: new BatchRunner(operator, parts), calls, clock }
}

describe("BatchRunner", () => {
  test("runs a record that comes alone at once, without a batch", async () => {
    const { runner, calls } = doubler({ sizeMax: 8, lingerMs: 1_000 })
    expect(await runner.run(2, context)).toBe(4)
    expect(calls).toEqual([2])
  })

  test("gathers what comes together, up to its size, and keeps every answer with its record", async () => {
    const { runner, calls } = doubler({ sizeMax: 3 })
    const outputs = await Promise.all([1, 2, 3, 4, 5].map((input) => runner.run(input, context)))
    expect(outputs).toEqual([2, 4, 6, 8, 10])
    expect(calls).toEqual([
      [1, 2, 3],
      [4, 5],
    ])
  })

  test("waits its linger for company only once it has some", async () => {
    const { runner, calls, clock } = doubler({ sizeMax: 8, lingerMs: 5 })
    const early = [runner.run(1, context), runner.run(2, context)]
    await clock.quiet()
    expect(calls).toEqual([])
    const outputs = Promise.all([...early, runner.run(3, context)])
    expect(await clock.settle(outputs)).toEqual([2, 4, 6])
    expect(calls).toEqual([[1, 2, 3]])
  })

  test("runs what a batch leaves without an output again, alone", async () => {
    const calls: (number | number[])[] = []
    const operator = {
      name: "double",
      process(input: number) {
        calls.push(input)
        return input * 2
      },
      batch: {
        sizeMax: 8,
        process(inputs: readonly number[]) {
          calls.push([...inputs])
          return inputs.map((input) => (input === 2 ? undefined : input * 2))
        },
      },
    }
    const observer = listObserver()
    const parts = { clock: new FakeClock(), observer, random: () => 0.5, retry: DEFAULT_RETRY }
    const runner = new BatchRunner(operator, parts)
    const outputs = await Promise.all([1, 2, 3].map((input) => runner.run(input, context)))
    expect(outputs).toEqual([2, 4, 6])
    expect(calls).toEqual([[1, 2, 3], 2])
  })

  test("fails a poisoned record alone", async () => {
    const { runner } = doubler({ sizeMax: 8 })
    const outcomes = await Promise.allSettled([1, 13, 3].map((input) => runner.run(input, context)))
    expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"])
  })
})
