import { describe, expect, test } from "bun:test"
import {
  type ConfidenceEvidence,
  falsePositiveRateMax,
  ruleConfidence,
} from "../../../src/rules/confidence/rule-confidence.ts"

const SURE: ConfidenceEvidence = {
  exploitScore: 0.95,
  classification: 0.99,
  heldOut: { count: 80, matched: 80 },
  benign: { count: 100_000, matched: 0 },
}

function confidence(fields: Partial<ConfidenceEvidence> = {}): number {
  return ruleConfidence({ ...SURE, ...fields }).at(-1)?.value ?? Number.NaN
}

describe("ruleConfidence", () => {
  test("ruleConfidence is high where all speaks for a rule, and falls with each doubt", () => {
    expect(confidence()).toBeGreaterThan(0.94)
    expect(confidence({ heldOut: { count: 80, matched: 70 } })).toBeLessThan(confidence())
    expect(confidence({ heldOut: { count: 10, matched: 10 } })).toBeLessThan(confidence())
    expect(confidence({ benign: { count: 10_000, matched: 0 } })).toBeLessThan(confidence())
    expect(confidence({ benign: { count: 100_000, matched: 3 } })).toBeLessThan(0.75)
    expect(confidence({ exploitScore: 0.5, classification: undefined })).toBeLessThan(0.5)
  })

  test("ruleConfidence is a probability, and each step lowers it, whatever was counted", () => {
    for (const count of [0, 1, 7, 80, 100_000]) {
      for (const matched of [0, Math.floor(count / 2), count]) {
        const steps = ruleConfidence({ ...SURE, heldOut: { count, matched } })
        const values = steps.map(({ value }) => value)
        expect(values.every((value) => value >= 0 && value <= 1)).toBe(true)
        expect(values).toEqual(values.toSorted((one, other) => other - one))
      }
    }
  })

  // the product of (b + i) / (a + b + i) over the requests ahead, i = 0, 1, ..., for Beta(a, b)
  test("ruleConfidence expects silence as a beta-binomial does, one request after the other", () => {
    const [, covers, silent] = ruleConfidence(SURE).map(({ value }) => value)
    let product = 1
    for (let i = 0; i < 10_000; i++) product *= (100_000.5 + i) / (100_001 + i)
    expect((silent ?? 0) / (covers ?? 1)).toBeCloseTo(product, 9)
  })
})

describe("falsePositiveRateMax", () => {
  test("falsePositiveRateMax follows the rule of three for none, and 1 - 0.05^(1/n) exactly", () => {
    for (const count of [10, 1_000, 100_000]) {
      expect(falsePositiveRateMax({ count, matched: 0 })).toBeCloseTo(1 - 0.05 ** (1 / count), 9)
    }
    expect(falsePositiveRateMax({ count: 100_000, matched: 0 })).toBeCloseTo(3 / 100_000, 6)
  })

  // published table: 1 of 20 has the one-sided 95% upper bound 0.2161
  test("falsePositiveRateMax agrees with the table of Clopper and Pearson", () => {
    expect(falsePositiveRateMax({ count: 20, matched: 1 })).toBeCloseTo(0.2161, 4)
    expect(falsePositiveRateMax({ count: 0, matched: 0 })).toBe(1)
  })
})
