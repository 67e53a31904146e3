import { describe, expect, test } from "bun:test"
import { fitTemperature } from "../../../src/ml/training/calibrate.ts"
import { halveSources } from "../../../src/ml/training/two-fold.ts"

describe("fitTemperature", () => {
  test("finds the temperature that the labels were drawn with", () => {
    // At logits (2, 0) a true temperature of 2 means the first class in 1 / (1 + 1/e) of cases.
    const share = 1 / (1 + Math.exp(-1))
    const logits = Float64Array.of(2, 0, -1e9, -1e9, -1e9)
    const examples = Array.from({ length: 10_000 }, (_, index) => ({
      logits,
      label: index < share * 10_000 ? 0 : 1,
    }))
    expect(fitTemperature(examples)).toBeCloseTo(2, 2)
  })
})

describe("halveSources", () => {
  test("keeps a source whole and the halves about even", () => {
    const rows = ["a", "a", "a", "b", "b", "c"].map((source) => ({
      text: "x",
      label: "benign" as const,
      source,
    }))
    expect(Object.fromEntries(halveSources(rows))).toEqual({ a: 0, b: 1, c: 1 })
  })
})
