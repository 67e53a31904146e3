import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import {
  BENIGN,
  CLASS_COUNT,
  computeLogits,
  zeroWeights,
} from "../../../src/ml/models/linear-softmax.ts"
import { attributeBytes, spansOf } from "../../../src/ml/serving/payload-spans.ts"
import { Normalizer } from "../../../src/ml/text/normalize.ts"
import { PayloadFeatures, WINDOW_BYTES } from "../../../src/ml/text/payload-features.ts"

const normalizer = new Normalizer()
const features = new PayloadFeatures()
const weights = zeroWeights()
for (let i = 0; i < weights.buckets.length; i++) weights.buckets[i] = Math.sin(i)

function compute(original: string) {
  const text = normalizer.normalize(original)
  const end = Math.min(text.length, WINDOW_BYTES)
  features.computeTraced(text, { start: 0, end, undone: normalizer.undone, kind: undefined })
  return text
}

describe("attributeBytes", () => {
  test("shares out exactly the log-odds that the n-grams gave, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), fc.nat(BENIGN - 1), (original, target) => {
        const { length } = compute(original)
        const logits = new Float64Array(CLASS_COUNT)
        const { buckets, bucketCount, dense } = features
        const row = {
          buckets,
          bucketsFrom: 0,
          bucketsTo: bucketCount,
          dense: dense.values,
          denseFrom: 0,
        }
        computeLogits(weights, row, logits)
        const perByte = attributeBytes(features, {
          length,
          weights: weights.buckets,
          target,
        })
        const total = perByte.reduce((sum, value) => sum + value, 0)
        expect(total).toBeCloseTo((logits[target] ?? 0) - (logits[BENIGN] ?? 0), 9)
      }),
    )
  })
})

describe("spansOf", () => {
  test("joins neighbours of one sign and maps them to the text as received", () => {
    const original = "a%62%63d"
    const text = compute(original)
    const spans = spansOf(Float64Array.of(-1, 2, 1, -0.5), { text, original, spansMax: 8 })
    expect(spans).toEqual([
      { start: 1, end: 7, text: "%62%63", shap_value: 3 },
      { start: 0, end: 1, text: "a", shap_value: -1 },
      { start: 7, end: 8, text: "d", shap_value: -0.5 },
    ])
  })

  test("keeps the weightiest within spansMax", () => {
    const text = compute("abc")
    const spans = spansOf(Float64Array.of(1, -3, 2), { text, original: "abc", spansMax: 1 })
    expect(spans).toEqual([{ start: 1, end: 2, text: "b", shap_value: -3 }])
  })
})
