import { expect, test } from "bun:test"
import fc from "fast-check"
import { populationStability, scoreBin } from "../../../src/ml/serving/population-stability.ts"

test("populationStability is 0 for the same shares, symmetric, and never negative", () => {
  const counts = fc.array(fc.integer({ min: 0, max: 1_000 }), { minLength: 10, maxLength: 10 })
  fc.assert(
    fc.property(counts, counts, (one, other) => {
      const index = populationStability(one, other)
      if (index === undefined) return
      expect(index).toBeGreaterThanOrEqual(0)
      expect(populationStability(other, one)).toBeCloseTo(index, 9)
      const doubled = one.map((count) => count * 2)
      expect(populationStability(one, doubled)).toBeCloseTo(0, 9)
    }),
  )
})

test("populationStability gives the figure of a worked example", () => {
  // (0.5-0.8) ln(0.5/0.8) + (0.5-0.2) ln(0.5/0.2)
  expect(populationStability([80, 20], [50, 50])).toBeCloseTo(0.4159, 4)
  expect(populationStability([1, 0], [0, 0])).toBeUndefined()
})

test("scoreBin puts both ends of the range into a bin", () => {
  expect([0, 0.05, 0.1, 0.99, 1, 1.5, -1].map(scoreBin)).toEqual([0, 0, 1, 9, 9, 9, 0])
})
