import { describe, expect, test } from "bun:test"
import { betaCumulative } from "../../../src/rules/confidence/beta.ts"
import {
  falsePositiveRateMax,
  ruleConfidence,
} from "../../../src/rules/confidence/rule-confidence.ts"

describe("betaCumulative", () => {
  test("betaCumulative is what its closed forms say", () => {
    for (const x of [0.01, 0.2, 0.5, 0.8, 0.99]) {
      expect(betaCumulative(x, { a: 1, b: 1 })).toBeCloseTo(x, 12)
      expect(betaCumulative(x, { a: 3, b: 1 })).toBeCloseTo(x ** 3, 12)
      expect(betaCumulative(x, { a: 1, b: 7 })).toBeCloseTo(1 - (1 - x) ** 7, 12)
      expect(betaCumulative(x, { a: 0.5, b: 0.5 })).toBeCloseTo(
        (2 / Math.PI) * Math.asin(Math.sqrt(x)),
        10,
      )
    }
  })

  test("betaCumulative of two halves of a binomial is its sum", () => {
    // P(Beta(4, 3) <= 0.3) = P(Binomial(6, 0.3) >= 4)
    const choose = [15, 6, 1]
    const sum = choose.reduce((total, ways, k) => total + ways * 0.3 ** (k + 4) * 0.7 ** (2 - k), 0)
    expect(betaCumulative(0.3, { a: 4, b: 3 })).toBeCloseTo(sum, 12)
  })
})

describe("falsePositiveRateMax", () => {
  test("falsePositiveRateMax of none in n is the rule of three, exactly", () => {
    expect(falsePositiveRateMax({ count: 100, matched: 0 })).toBeCloseTo(1 - 0.05 ** (1 / 100), 9)
    expect(falsePositiveRateMax({ count: 100_000, matched: 0 })).toBeCloseTo(2.9957e-5, 8)
    expect(falsePositiveRateMax({ count: 5, matched: 5 })).toBe(1)
  })
})

describe("ruleConfidence", () => {
  const good = {
    exploitScore: 0.97,
    classification: 0.99,
    heldOut: { count: 60, matched: 60 },
    benign: { count: 100_000, matched: 0 },
  }
  const confidence = (evidence: Parameters<typeof ruleConfidence>[0]) =>
    ruleConfidence(evidence).at(-1)?.value ?? 0

  test("ruleConfidence is high for full coverage and silence, and the steps lead there", () => {
    expect(confidence(good)).toBeGreaterThan(0.9)
    const values = ruleConfidence(good).map(({ value }) => value)
    expect(values).toEqual([...values].sort((one, other) => other - one))
  })

  test("ruleConfidence falls with each of its parts", () => {
    const worse = [
      { ...good, exploitScore: 0.2, classification: 0.3 },
      { ...good, heldOut: { count: 60, matched: 50 } },
      { ...good, heldOut: { count: 5, matched: 5 } },
      { ...good, benign: { count: 1_000, matched: 0 } },
      { ...good, benign: { count: 100_000, matched: 3 } },
    ]
    for (const evidence of worse) expect(confidence(evidence)).toBeLessThan(0.9)
  })
})
