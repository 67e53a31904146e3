import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { type Classification, PAYLOAD_CLASSES } from "../../../src/events.ts"
import { combineTiers, isUnsure, poolTiers, UNSURE } from "../../../src/ml/serving/combine-tiers.ts"

function said(probabilities: readonly number[], model: string): Classification {
  const confidence = Math.max(...probabilities)
  return {
    class: PAYLOAD_CLASSES[probabilities.indexOf(confidence)] ?? "benign",
    confidence,
    probabilities: Object.fromEntries(
      PAYLOAD_CLASSES.map((name, index) => [name, probabilities[index] ?? 0]),
    ),
    method: "ml",
    model,
  }
}

const distribution = fc
  .array(fc.double({ min: 0.001, max: 1, noNaN: true }), { minLength: 6, maxLength: 6 })
  .map((parts) => parts.map((part) => part / parts.reduce((sum, each) => sum + each, 0)))

describe("poolTiers", () => {
  test("of a distribution with itself is itself", () => {
    const one = Float64Array.of(0.1, 0.2, 0.25, 0.15, 0.05, 0.25)
    for (const [index, probability] of poolTiers(one, one).entries()) {
      expect(probability).toBeCloseTo(one[index] ?? 0, 9)
    }
  })

  test("of two classes is the mean of their log-odds", () => {
    const [one, other] = [Float64Array.of(0.9, 0.1), Float64Array.of(0.2, 0.8)]
    const [attack = 0, benign = 0] = poolTiers(one, other)
    const expected = (Math.log(0.9 / 0.1) + Math.log(0.2 / 0.8)) / 2
    expect(Math.log(attack / benign)).toBeCloseTo(expected, 9)
  })
})

describe("combineTiers", () => {
  test("answers a distribution with the likeliest class, under both names", () => {
    fc.assert(
      fc.property(distribution, distribution, (one, other) => {
        const answer = combineTiers(said(one, "fast/1"), said(other, "deep/1"))
        const values = Object.values(answer.probabilities)
        expect(values.reduce((sum, each) => sum + each, 0)).toBeCloseTo(1, 9)
        expect(answer.confidence).toBe(Math.max(...values))
        expect(answer.probabilities[answer.class]).toBe(answer.confidence)
        expect([answer.model, answer.second_model]).toEqual(["fast/1", "deep/1"])
      }),
    )
  })

  test("lets an attack stand that both see, and a false alarm fall that one denies firmly", () => {
    const alarm = said([0.6, 0, 0, 0, 0, 0.4], "fast/1")
    expect(combineTiers(alarm, said([0.9, 0, 0, 0, 0, 0.1], "d")).class).toBe("sql_injection")
    expect(combineTiers(alarm, said([0.1, 0, 0, 0, 0, 0.9], "d")).class).toBe("benign")
  })
})

test("isUnsure is true between the bounds of the band and false at them", () => {
  const { from, to } = UNSURE
  expect([from, (from + to) / 2, to].map(isUnsure)).toEqual([false, true, false])
})
