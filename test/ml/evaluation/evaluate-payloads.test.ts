import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { MalformedError } from "../../../src/errors.ts"
import { evaluatePayloads } from "../../../src/ml/evaluation/evaluate-payloads.ts"
import { readLabelledPayloads } from "../../../src/ml/evaluation/labelled-payloads.ts"
import {
  type JudgedPayload,
  reportOf,
  thresholdAt,
} from "../../../src/ml/evaluation/payload-report.ts"
import { BY_QUOTES } from "../../support/fake-classifier.ts"

describe("evaluatePayloads", () => {
  test("reports by class and by source", async () => {
    const rows = [
      { text: "'' or", label: "sql_injection", source: "a" },
      { text: "x", label: "sql_injection", source: "b" },
      { text: "y", label: "benign", source: "a" },
      { text: "z''", label: "benign", source: "b" },
    ]
    const input = readLabelledPayloads(rows.map((row) => JSON.stringify(row)))
    const report = await evaluatePayloads(input, BY_QUOTES)
    expect(report).toMatchObject({
      model: "by-quotes/1",
      rows: 4,
      recall: 0.5,
      fpr: 0.5,
      macroF1: 0.5,
    })
    expect(report.bySource.a).toMatchObject({ rows: 2, recall: 1, fpr: 0, macroF1: 1 })
    expect(report.bySource.b).toMatchObject({ recall: 0, precision: 0 })
  })
})

describe("readLabelledPayloads", () => {
  test.each([
    ["{", "line 2"],
    ['{"label":"benign"}', "line 2.text"],
    ['{"text":"a","label":"evil"}', "line 2.label"],
  ])("refuses %p naming the line", async (line, field) => {
    const rows = Array.fromAsync(readLabelledPayloads(['{"text":"a","label":"benign"}', line]))
    const error = await rows.catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(MalformedError)
    expect((error as MalformedError).field).toBe(field)
  })
})

describe("reportOf", () => {
  test("recallAtFpr counts attacks above what the benign share exceeds", () => {
    const rows: JudgedPayload[] = Array.from({ length: 1000 }, (_, index) => ({
      label: "benign",
      predicted: "benign",
      attackProbability: index / 1000,
      confidence: 1,
    }))
    for (const attackProbability of [0.9995, 0.9945, 0.5]) {
      rows.push({ label: "xss", predicted: "xss", attackProbability, confidence: 1 })
    }
    const { recallAtFpr } = reportOf(rows)
    expect(recallAtFpr["0.001"]).toBeCloseTo(1 / 3)
    expect(recallAtFpr["0.01"]).toBeCloseTo(2 / 3)
  })

  test("has no rates where there are no rows to rate", () => {
    const report = reportOf([])
    expect(report).toMatchObject({ rows: 0, recall: null, fpr: null, macroF1: null, ece: 0 })
  })
})

describe("thresholdAt", () => {
  test("is exceeded by at most the stated share", () => {
    const shares = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1 })
    fc.assert(
      fc.property(shares, fc.double({ min: 0, max: 0.99, noNaN: true }), (scores, fpr) => {
        const threshold = thresholdAt(scores, fpr)
        const above = scores.filter((score) => score > threshold).length
        expect(above / scores.length).toBeLessThanOrEqual(fpr)
      }),
    )
  })
})
