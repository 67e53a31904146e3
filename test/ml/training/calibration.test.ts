import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { calibrate } from "../../../src/ml/models/attack-calibration.ts"
import { fitTemperature } from "../../../src/ml/training/calibrate.ts"
import { fitCalibration } from "../../../src/ml/training/fit-calibration.ts"
import { foldSources } from "../../../src/ml/training/source-folds.ts"

describe("fitTemperature", () => {
  test("finds the temperature that the labels were drawn with", () => {
    // At logits (2, 0) a true temperature of 2 means the first class in 1 / (1 + 1/e) of cases.
    const share = 1 / (1 + Math.exp(-1))
    const logits = Float64Array.of(2, 0, -1e9, -1e9, -1e9, -1e9)
    const examples = Array.from({ length: 10_000 }, (_, index) => ({
      logits,
      label: index < share * 10_000 ? 0 : 1,
    }))
    expect(fitTemperature(examples)).toBeCloseTo(2, 2)
  })
})

describe("fitCalibration", () => {
  test("finds the log-odds by which the labels were drawn, curved or not", () => {
    // Margins from -4 to 4 whose true log-odds are 2 x below zero and x / 2 above.
    const truth = (x: number) => (x < 0 ? 2 * x : x / 2)
    const examples = Array.from({ length: 40_000 }, (_, index) => {
      const margin = (index % 401) / 50 - 4
      const share = (((index * 7919) % 40_009) + 0.5) / 40_009
      return { margin, windows: 1, attack: share < 1 / (1 + Math.exp(-truth(margin))), weight: 1 }
    })
    const calibration = fitCalibration(examples)
    for (const margin of [-1.5, -0.5, 1, 2, 3]) {
      expect(Math.abs(calibrate(calibration, margin, 1) - truth(margin))).toBeLessThan(0.35)
    }
  })

  test("takes back what many windows add by chance", () => {
    const examples = Array.from({ length: 20_000 }, (_, index) => {
      const windows = index % 2 === 0 ? 1 : 40
      const base = ((index * 7919) % 20_011) / 2_000 - 5
      const attack = (((index * 104_729) % 20_011) + 0.5) / 20_011 < 1 / (1 + Math.exp(-base))
      return { margin: base + 0.5 * Math.log(windows), windows, attack, weight: 1 }
    })
    expect(fitCalibration(examples).windowPenalty).toBeCloseTo(0.5, 1)
  })

  test("rises strictly whatever the labels: no two margins become one", () => {
    const example = fc.record({
      margin: fc.double({ min: -20, max: 20, noNaN: true }),
      windows: fc.integer({ min: 1, max: 40 }),
      attack: fc.boolean(),
      weight: fc.constant(1),
    })
    fc.assert(
      fc.property(fc.array(example, { minLength: 2, maxLength: 600 }), (examples) => {
        const calibration = fitCalibration(examples)
        let previous = Number.NEGATIVE_INFINITY
        for (let margin = -25; margin <= 25; margin++) {
          const logOdds = calibrate(calibration, margin, 1)
          expect(Number.isFinite(logOdds)).toBe(true)
          expect(logOdds).toBeGreaterThan(previous)
          previous = logOdds
        }
      }),
      { numRuns: 50 },
    )
  })
})

describe("foldSources", () => {
  test("keeps a source whole and the folds about even", () => {
    const rows = ["a", "a", "a", "b", "b", "c"].map((source) => ({
      text: "x",
      label: "benign" as const,
      source,
    }))
    expect(Object.fromEntries(foldSources(rows, 2))).toEqual({ a: 0, b: 1, c: 1 })
  })
})
