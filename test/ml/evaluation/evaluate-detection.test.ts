import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import type { PayloadClass } from "../../../src/events.ts"
import { benignPopulation } from "../../../src/ml/evaluation/benign-populations.ts"
import { calibrationError, reliabilityBins } from "../../../src/ml/evaluation/calibration.ts"
import { thresholdCurve } from "../../../src/ml/evaluation/curves.ts"
import { evaluateDetection } from "../../../src/ml/evaluation/evaluate-detection.ts"
import { gates } from "../../../src/ml/evaluation/gates.ts"
import { RowSample } from "../../../src/ml/evaluation/row-sample.ts"
import { fakeClassifier } from "../../support/fake-classifier.ts"

/** Takes a text with a `<` for cross-site scripting, and decodes nothing. */
const BY_ANGLE = {
  ...fakeClassifier({
    ...{ modelId: "by-angle/1", attackClass: "xss" },
    attackIn: (text) => (text.includes("<") ? 0.9 : 0.1),
  }),
  thresholds: { "0.01": 0.5 },
}

const ROWS = Array.from({ length: 40 }, (_, index) => [
  { text: `<b onload=x>${index}`, label: "xss" as const, source: `s${index % 4}` },
  { text: `a quiet evening ${index}`, label: "benign" as const, source: `s${index % 4}` },
]).flat()

describe("evaluateDetection", () => {
  test("evaluateDetection says what a classifier that decodes nothing loses to each spelling", async () => {
    const { robustness, recall, fpr } = await evaluateDetection(ROWS, BY_ANGLE)
    expect({ recall, fpr }).toEqual({ recall: 1, fpr: 0 })
    const loss = Object.fromEntries(robustness.map((row) => [row.transformation, row.loss]))
    expect(loss).toMatchObject({ url_once: 1, html_entities: 1, full_width: 1, white_space: 0 })
  })

  test("evaluateDetection finds padded attacks apart from equally long benign texts", async () => {
    const { padding } = await evaluateDetection(ROWS, BY_ANGLE)
    expect(padding).toMatchObject({ characters: 4_096, attacks: 40, recallAtRate: 1, fpr: 0 })
    expect(padding?.recallAtRateByClass).toEqual({ xss: 1 })
  })

  test("evaluateDetection judges the model's own thresholds and the gates", async () => {
    const { operatingPoints, gates: verdict } = await evaluateDetection(ROWS, BY_ANGLE)
    const [first, second] = operatingPoints
    expect(first?.stored).toMatchObject({ threshold: 0.5, recall: { value: 1 }, fpr: { value: 0 } })
    expect(second).not.toHaveProperty("stored")
    expect(verdict.met).toBe(true)
  })

  test("evaluateDetection is the same for the same seed but for the time it took", async () => {
    const { timing: _, ...once } = await evaluateDetection(ROWS, BY_ANGLE, { seed: 4 })
    const { timing, ...again } = await evaluateDetection(ROWS, BY_ANGLE, { seed: 4 })
    expect(again).toEqual(once)
    expect(timing.all?.payloads).toBe(64)
  })

  test("evaluateDetection lists the worst errors, no more than asked for, and cut", async () => {
    const odd = { text: `<${"x".repeat(500)}`, label: "benign" as const, source: "odd" }
    const missed = { text: "javascript:x", label: "xss" as const, source: "odd" }
    const rows = [...ROWS, odd, odd, odd, missed]
    const { errors } = await evaluateDetection(rows, BY_ANGLE, { errorsMax: 2 })
    expect(errors.falseAlarms).toHaveLength(2)
    expect(errors.falseAlarms[0]?.text).toHaveLength(200)
    expect(errors.missed).toMatchObject([{ text: "javascript:x", predicted: "benign" }])
    expect((await evaluateDetection(rows, BY_ANGLE, { errorsMax: 0 })).errors.missed).toEqual([])
  })

  test("evaluateDetection leaves out what rows of one sort cannot tell", async () => {
    const benign = ROWS.filter(({ label }) => label === "benign")
    const report = await evaluateDetection(benign, BY_ANGLE)
    expect(report).not.toHaveProperty("padding")
    expect(report).toMatchObject({ recall: null, precision: null, curves: {} })
    expect(report.gates.met).toBe(false)
    expect((await evaluateDetection([], BY_ANGLE)).rows).toBe(0)
  })
})

describe("gates", () => {
  const good = { precision: 0.85, recall: 0.8, fpr: 0.05, f1: 0.82 }

  test("gates are met at their bounds", () => {
    expect(gates(good).met).toBe(true)
  })

  test.each([
    ["precision", 0.849],
    ["recall", 0.799],
    ["fpr", 0.051],
    ["f1", 0.819],
    ["recall", null],
  ])("gates are not met by %s = %p", (figure, value) => {
    const report = gates({ ...good, [figure]: value })
    expect(report.met).toBe(false)
    expect(report.gates.filter(({ met }) => !met).map((gate) => gate.figure)).toEqual([
      figure as "recall",
    ])
  })
})

describe("reliabilityBins", () => {
  test("reliabilityBins hold every row once, of nearly equal mass, in rising confidence", () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.double({ min: 0, max: 1, noNaN: true })), (values) => {
        const rows = values.map((confidence) => ({ confidence, label: "a", predicted: "a" }))
        const bins = reliabilityBins(rows)
        expect(bins.reduce((total, bin) => total + bin.rows, 0)).toBe(rows.length)
        expect(bins.length).toBe(Math.min(15, rows.length))
        for (const bin of bins) expect(bin.rows).toBeLessThanOrEqual(Math.ceil(rows.length / 15))
      }),
    )
  })

  test("calibrationError is the distance of confidence and accuracy", () => {
    const rows = Array.from({ length: 100 }, (_, index) => ({
      confidence: 0.9,
      label: "a",
      predicted: index < 70 ? "a" : "b",
    }))
    expect(calibrationError(reliabilityBins(rows))).toBeCloseTo(0.2)
  })
})

describe("thresholdCurve", () => {
  const row = (label: PayloadClass, attackProbability: number) => ({
    ...{ label, predicted: label, confidence: 1 },
    attackProbability,
  })

  test("thresholdCurve counts what lies at and above each score, ties together", () => {
    const rows = [row("xss", 0.9), row("xss", 0.5), row("benign", 0.5), row("benign", 0.1)]
    expect(thresholdCurve(rows)).toEqual([
      { threshold: 0.9, recall: 0.5, precision: 1, fpr: 0 },
      { threshold: 0.5, recall: 1, precision: 2 / 3, fpr: 0.5 },
      { threshold: 0.1, recall: 1, precision: 0.5, fpr: 1 },
    ])
  })

  test("thresholdCurve rises, ends at everything and stays short", () => {
    const rows = Array.from({ length: 20_000 }, (_, index) =>
      row(index % 3 === 0 ? "benign" : "xss", ((index * 7_919) % 20_011) / 20_011),
    )
    const curve = thresholdCurve(rows)
    expect(curve.length).toBeLessThan(600)
    expect(curve.at(-1)).toMatchObject({ recall: 1, fpr: 1 })
    const recalls = curve.map(({ recall }) => recall)
    expect(recalls).toEqual(recalls.toSorted((left, right) => left - right))
  })
})

describe("RowSample", () => {
  test("RowSample keeps a uniform sample of each side", () => {
    const sample = new RowSample({ rowsMax: 100, seed: 3 })
    for (let index = 0; index < 10_000; index++) {
      sample.offer({ text: `${index}`, label: "benign", source: "" })
      sample.offer({ text: "x", label: "xss", source: "" })
    }
    sample.offer({ text: "x".repeat(4_097), label: "xss", source: "long" })
    expect([sample.attacks.length, sample.benign.length]).toEqual([100, 100])
    const mean = sample.benign.reduce((total, { text }) => total + Number(text), 0) / 100
    expect(mean).toBeGreaterThan(4_000)
    expect(mean).toBeLessThan(6_000)
    expect(sample.attacks.every(({ source }) => source === "")).toBe(true)
  })
})

describe("benignPopulation", () => {
  test.each([
    [{ source: "gotestwaf", kind: "param" }, "prose_and_code"],
    [{ source: "other", kind: "request" }, "web_traffic"],
    [{ source: "other", kind: "body" }, "prose_and_code"],
    [{ source: "other" }, "names_and_values"],
  ] as const)("benignPopulation of %p is %s", (row, population) => {
    expect(benignPopulation(row)).toBe(population)
  })
})
