import { describe, expect, test } from "bun:test"
import { effectCheck } from "../../../src/ml/adversary/effect.ts"
import { zeroWeights } from "../../../src/ml/models/linear-softmax.ts"
import { DENSE_NAMES } from "../../../src/ml/text/dense-features.ts"
import { adversarialRows, rewrittenRows } from "../../../src/ml/training/adversarial-rows.ts"

/** A model that knows one sign of an attack and nothing else, so that there is a way past it. */
function weightsThatKnow(feature: string) {
  const weights = zeroWeights()
  const classes = weights.bias.length
  weights.bias[classes - 1] = 2
  weights.dense[DENSE_NAMES.indexOf(feature) * classes + 1] = 8
  return weights
}

describe("adversarialRows", () => {
  test("gives attacks that got past the weights, the same for the same seed", () => {
    const weights = weightsThatKnow("count.lessThan")
    const rows = adversarialRows(weights, { seed: 3, count: 400 })
    expect(rows.length).toBeGreaterThan(0)
    expect(adversarialRows(weights, { seed: 3, count: 400 })).toEqual(rows)
    for (const { label, source } of rows) {
      expect(label).not.toBe("benign")
      expect(source).toBe(`adversary/${label}`)
    }
  })

  test("gives nothing where there is nothing to rewrite", () => {
    expect(adversarialRows(zeroWeights(), { seed: 3, count: 0 })).toEqual([])
  })
})

describe("rewrittenRows", () => {
  test("gives attacks that still do what they did, the same for the same seed", () => {
    const rows = rewrittenRows({ seed: 5, count: 600 })
    expect(rewrittenRows({ seed: 5, count: 600 })).toEqual(rows)
    expect(rows.length).toBeGreaterThan(20)
    for (const { text, label, source } of rows) {
      expect(source).toBe(`adversary/${label}`)
      // The effect of a text is that of itself where the text has one at all.
      expect(effectCheck(label, text)?.(text)).toBe(true)
    }
  })
})
