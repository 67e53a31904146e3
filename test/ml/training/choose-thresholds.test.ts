import { describe, expect, test } from "bun:test"
import type { LabelledPayload } from "../../../src/ml/evaluation/labelled-payloads.ts"
import { NO_CALIBRATION } from "../../../src/ml/models/attack-calibration.ts"
import { zeroWeights } from "../../../src/ml/models/linear-softmax.ts"
import { DENSE_NAMES } from "../../../src/ml/text/dense-features.ts"
import { chooseThresholds } from "../../../src/ml/training/choose-thresholds.ts"

/** P(attack) is high where there is a pipe, else low. */
function weightsThatFearPipes() {
  const weights = zeroWeights()
  const classes = weights.bias.length
  weights.bias[classes - 1] = 4
  weights.dense[DENSE_NAMES.indexOf("count.pipe") * classes] = 12
  return weights
}

const MODEL = {
  weights: weightsThatFearPipes(),
  calibration: NO_CALIBRATION,
  thresholds: {},
  certainThreshold: 1,
  provenance: { seed: 0, trainingDataSha256: "", trainingSamples: 0, validationSamples: 0 },
}

/** `count` benign rows of a source, of which every `every`th looks like an attack. */
function rowsOf(source: string, count: number, every: number): readonly LabelledPayload[] {
  return Array.from({ length: count }, (_, index) => ({
    text: index % every === 0 ? "a|b" : "abc",
    label: "benign" as const,
    source,
  }))
}

describe("chooseThresholds", () => {
  test("lets every source count alike, whatever its size", () => {
    // Of the large source 0.2% look bad, of the small one 5%: 2.6% on the mean, 0.6% of all rows.
    const rows = [...rowsOf("large", 10_000, 500), ...rowsOf("small", 1_000, 20)]
    const { thresholds } = chooseThresholds(MODEL, rows, [])
    expect(thresholds["0.01"]).toBeGreaterThan(0.5)
    const alone = chooseThresholds(MODEL, rows.slice(0, 10_000), [])
    expect(alone.thresholds["0.01"]).toBeLessThan(0.5)
  })

  test("counts rows that training left out, by the model that had not seen them", () => {
    const heldOut = [{ weights: MODEL.weights, rows: rowsOf("left out", 4_000, 4) }]
    const calm = rowsOf("calm", 2_000, 1_000)
    const { thresholds, certainThreshold } = chooseThresholds(MODEL, calm, heldOut)
    expect(thresholds["0.01"]).toBeGreaterThan(0.5)
    expect(certainThreshold).toBeGreaterThanOrEqual(0.9)
    const unaware = [{ weights: zeroWeights(), rows: heldOut[0]?.rows ?? [] }]
    expect(chooseThresholds(MODEL, calm, unaware).thresholds["0.01"]).not.toBe(thresholds["0.01"])
  })

  test("passes over attacks", () => {
    const attacks = rowsOf("x", 2_000, 1).map((row) => ({ ...row, label: "xss" as const }))
    const { thresholds } = chooseThresholds(MODEL, [...rowsOf("y", 2_000, 5_000), ...attacks], [])
    expect(thresholds["0.01"]).toBeLessThan(0.5)
  })
})
