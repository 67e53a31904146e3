import { describe, expect, test } from "bun:test"
import { row } from "../../bench/harness.ts"

describe("row", () => {
  test("row has neither ratio nor judgement without baseline and goal", () => {
    expect(row({ name: "n", value: 3, unit: "ms" })).toEqual({
      name: "n",
      value: 3,
      unit: "ms",
      baseline: null,
      ratio: null,
      goal: null,
      met: null,
    })
  })

  test("row judges the value, with `below` exclusive and `least` inclusive", () => {
    const met = (value: number, goal: { below?: number; least?: number }) =>
      row({ name: "n", value, unit: "ms", goal: { of: "value", ...goal } }).met
    expect(met(9.99, { below: 10 })).toBe(true)
    expect(met(10, { below: 10 })).toBe(false)
    expect(met(10, { least: 10 })).toBe(true)
    expect(met(Number.NaN, { below: 10 })).toBe(false)
  })

  test("row judges the ratio where the goal is about it", () => {
    const slow = row({
      name: "n",
      value: 30,
      unit: "us",
      baseline: 10,
      goal: { of: "ratio", below: 2 },
    })
    expect(slow).toMatchObject({ ratio: 3, goal: "ratio < 2", met: false })
  })
})
