import { expect, test } from "bun:test"
import { median, medianOf, medianRatio, runRounds } from "../../../bench/serving/pairs.ts"
import type { LoadRun } from "../../../bench/serving/wrk.ts"

function ran(perSecond: number): LoadRun {
  return { perSecond, answered: 1, failed: 0, percentiles: {}, cpuMicrosecondsEach: 1 }
}

test("median is the middle value, the upper of two, and none of nothing", () => {
  expect([median([3, 1, 2]), median([1, 4, 2, 3]), median([])]).toEqual([2, 3, Number.NaN])
})

test("medianRatio compares within a round, so that a slow minute weighs on both sides", () => {
  const rounds = [
    { one: ran(50), other: ran(100) },
    { one: ran(5), other: ran(10) },
    { one: ran(90), other: ran(100) },
  ]
  const perSecond = (run: LoadRun) => run.perSecond
  expect(medianRatio(rounds, ["one", "other"], perSecond)).toBe(0.5)
  expect(medianOf(rounds, "one", perSecond)).toBe(50)
})

test("runRounds runs each server once in a round and turns the order round", async () => {
  const order: string[] = []
  const run = (name: string) => async () => {
    order.push(name)
    return ran(order.length)
  }
  const rounds = await runRounds(3, { a: run("a"), b: run("b") })
  expect(order.join("")).toBe("abbaab")
  expect(rounds.map(({ a, b }) => [a.perSecond, b.perSecond])).toEqual([
    [1, 2],
    [4, 3],
    [5, 6],
  ])
})
