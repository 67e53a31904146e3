import { describe, expect, test } from "bun:test"
import { PAYLOAD_CLASSES } from "../../../src/events.ts"
import { blend, compareTiers } from "../../../src/ml/deep/compare-tiers.ts"
import type { PayloadClassifier } from "../../../src/ports.ts"

const ROWS = [{ text: "hello", label: "benign", source: "test" }] as const
const DEEP_SAYS_ATTACK = Float64Array.of(0.995, 0.001, 0.001, 0.001, 0.001, 0.001)

/** A classifier that gives every text the same P(benign), the rest to the first class. */
function constant(benign: number): PayloadClassifier {
  const probabilities = Object.fromEntries(PAYLOAD_CLASSES.map((name) => [name, 0]))
  Object.assign(probabilities, { sql_injection: 1 - benign, benign })
  const info = {
    modelId: "constant",
    modelType: "constant",
    trainedAt: "",
    trainingSamples: 0,
    validationSamples: 0,
    metrics: {},
  }
  return {
    info,
    certainThreshold: 1,
    classify: () => ({
      class: benign > 0.5 ? "benign" : "sql_injection",
      confidence: Math.max(benign, 1 - benign),
      probabilities,
      method: "ml",
      model: info.modelId,
    }),
    explain: () => [],
  }
}

describe("compareTiers", () => {
  test("lets the deep tier speak only where the linear one is unsure", () => {
    const sure = compareTiers(ROWS, [DEEP_SAYS_ATTACK], constant(0.995))
    const unsure = compareTiers(ROWS, [DEEP_SAYS_ATTACK], constant(0.8))
    expect(sure["blend where linear is unsure"]?.fpr).toBe(0)
    expect(unsure["blend where linear is unsure"]?.fpr).toBe(1)
    expect(unsure.linear?.fpr).toBe(0)
    expect(unsure.deep?.fpr).toBe(1)
  })

  test("reports the deep tier alone where there is no linear one", () => {
    expect(Object.keys(compareTiers(ROWS, [DEEP_SAYS_ATTACK]))).toEqual(["deep"])
  })
})

describe("blend", () => {
  test("of a distribution with itself is itself, and sums to 1", () => {
    const one = Float64Array.of(0.1, 0.2, 0.25, 0.15, 0.05, 0.25)
    for (const [index, probability] of blend(one, one).entries()) {
      expect(probability).toBeCloseTo(one[index] ?? 0, 9)
    }
    const sum = blend(one, one.toReversed()).reduce((total, part) => total + part, 0)
    expect(sum).toBeCloseTo(1, 12)
  })
})
