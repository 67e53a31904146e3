import { describe, expect, test } from "bun:test"
import { PAYLOAD_CLASSES } from "../../../src/events.ts"
import { compareTiers } from "../../../src/ml/deep/compare-tiers.ts"
import type { PayloadClassifier } from "../../../src/ports.ts"

const ROWS = [{ text: "hello", label: "benign", source: "test" }] as const
const DEEP_SAYS_BENIGN = Float64Array.of(0.001, 0.001, 0.001, 0.001, 0.001, 0.995)

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
    const certain = compareTiers(ROWS, [DEEP_SAYS_BENIGN], constant(0.005))
    const unsure = compareTiers(ROWS, [DEEP_SAYS_BENIGN], constant(0.4))
    expect(certain["blend where linear is unsure"]?.fpr).toBe(1)
    expect(unsure["blend where linear is unsure"]?.fpr).toBe(0)
    expect(unsure.linear?.fpr).toBe(1)
    expect(unsure.deep?.fpr).toBe(0)
  })

  test("reports the deep tier alone where there is no linear one", () => {
    expect(Object.keys(compareTiers(ROWS, [DEEP_SAYS_BENIGN]))).toEqual(["deep"])
  })
})
