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
import { fitTemperature } from "../../../src/ml/training/calibrate.ts"
import { classifyLines } from "../../../src/ml/training/classify-lines.ts"
import { halveSources } from "../../../src/ml/training/two-fold.ts"
import type { PayloadClassifier } from "../../../src/ports.ts"

/** Says SQL injection, and how surely, by the number of quotes. */
const BY_QUOTES: PayloadClassifier = {
  info: {
    modelId: "by-quotes/1",
    modelType: "test",
    trainedAt: "",
    trainingSamples: 0,
    validationSamples: 0,
    metrics: {},
  },
  certainThreshold: 0.9,
  classify({ text }) {
    const attack = 1 - 1 / (1 + text.split("'").length - 1)
    return {
      class: attack > 0.5 ? "sql_injection" : "benign",
      confidence: Math.max(attack, 1 - attack),
      probabilities: { sql_injection: attack, benign: 1 - attack },
      method: "ml",
      model: "by-quotes/1",
    }
  },
  explain: () => [],
}

async function* lines(...items: readonly string[]): AsyncGenerator<string> {
  yield* items
}

describe("classifyLines", () => {
  test("keeps order and fields and adds the answer", async () => {
    const input = lines('{"text":"a\'\'\'b","id":7,"kind":"param"}', "", '{"text":"c"}')
    const output = await Array.fromAsync(classifyLines(input, BY_QUOTES))
    expect(output.map((line) => JSON.parse(line))).toEqual([
      {
        text: "a'''b",
        id: 7,
        kind: "param",
        class: "sql_injection",
        confidence: 0.75,
        probabilities: { sql_injection: 0.75, benign: 0.25 },
        method: "ml",
        model: "by-quotes/1",
      },
      expect.objectContaining({ text: "c", class: "benign" }),
    ])
  })

  test("writes an error that names the field in place of a bad line, and goes on", async () => {
    const bad = ["{", "[]", "1", '{"text":7}', '{"text":"a","kind":"oven"}']
    const output = await Array.fromAsync(classifyLines(lines(...bad, '{"text":"a"}'), BY_QUOTES))
    const errors = output.slice(0, bad.length).map((line) => JSON.parse(line).error)
    expect(errors.map(({ code, field }) => [code, field])).toEqual([
      ["MALFORMED", "line"],
      ["MALFORMED", "line"],
      ["MALFORMED", "line"],
      ["MALFORMED", "text"],
      ["MALFORMED", "kind"],
    ])
    expect(JSON.parse(output.at(-1) ?? "").class).toBe("benign")
  })
})

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

describe("fitTemperature", () => {
  test("finds the temperature that the labels were drawn with", () => {
    // At logits (2, 0) a true temperature of 2 means the first class in 1 / (1 + 1/e) of cases.
    const share = 1 / (1 + Math.exp(-1))
    const logits = Float64Array.of(2, 0, -1e9, -1e9, -1e9)
    const examples = Array.from({ length: 10_000 }, (_, index) => ({
      logits,
      label: index < share * 10_000 ? 0 : 1,
    }))
    expect(fitTemperature(examples)).toBeCloseTo(2, 2)
  })
})

describe("halveSources", () => {
  test("keeps a source whole and the halves about even", () => {
    const rows = ["a", "a", "a", "b", "b", "c"].map((source) => ({
      text: "x",
      label: "benign" as const,
      source,
    }))
    expect(Object.fromEntries(halveSources(rows))).toEqual({ a: 0, b: 1, c: 1 })
  })
})
