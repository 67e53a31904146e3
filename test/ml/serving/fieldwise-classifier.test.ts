import { describe, expect, test } from "bun:test"
import { readdir } from "node:fs/promises"
import { join, resolve } from "node:path"
import fc from "fast-check"
import { combineLogOdds, pooledProbabilities } from "../../../src/ml/serving/combine-fields.ts"
import { fieldwiseClassifier } from "../../../src/ml/serving/fieldwise-classifier.ts"
import { loadPayloadClassifier } from "../../../src/ml/serving/load-payload-classifier.ts"
import type { PayloadClassifier, PayloadInput } from "../../../src/ports.ts"

/** Says xss with P = 0.9 where the text holds the word `bad`, and calls that word its only span. */
function wordClassifier(seen: PayloadInput[] = []): PayloadClassifier {
  return {
    info: {
      modelId: "word/1",
      modelType: "test",
      trainedAt: "",
      trainingSamples: 0,
      validationSamples: 0,
      metrics: {},
    },
    certainThreshold: 0.8,
    thresholds: { "0.001": 0.7 },
    classify(input) {
      seen.push(input)
      const xss = input.text.includes("bad") ? 0.9 : 0.01
      const probabilities = { xss, other_attack: 0, benign: 1 - xss }
      const name = xss > 0.5 ? "xss" : "benign"
      return { class: name, confidence: 0.9, probabilities, method: "ml", model: "word/1" }
    },
    explain({ text }) {
      const start = text.indexOf("bad")
      return start < 0 ? [] : [{ start, end: start + 3, text: "bad", shap_value: 2 }]
    },
  }
}

describe("fieldwiseClassifier", () => {
  test("fieldwiseClassifier asks its base once about a text that is one field", () => {
    const seen: PayloadInput[] = []
    const answer = fieldwiseClassifier(wordClassifier(seen)).classify({ text: "b", kind: "param" })
    expect(seen).toEqual([{ text: "b", kind: "param" }])
    expect(answer.confidence).toBe(0.9)
  })

  test.each(["", " \t\r\n", "\u00a0"])(
    "fieldwiseClassifier is certain that %j is benign",
    (text) => {
      const fieldwise = fieldwiseClassifier(wordClassifier())
      expect(fieldwise.classify({ text })).toEqual({
        class: "benign",
        confidence: 1,
        probabilities: { xss: 0, other_attack: 0, benign: 1 },
        method: "rules",
        model: "word/1",
      })
      expect(fieldwise.explain({ text })).toEqual([])
    },
  )

  test("fieldwiseClassifier asks about the whole and about each field in its own kind", () => {
    const seen: PayloadInput[] = []
    const fieldwise = fieldwiseClassifier(wordClassifier(seen))
    const answer = fieldwise.classify({ text: "/p?a=1&b=bad", kind: "request" })
    expect(seen).toEqual([
      { text: "/p?a=1&b=bad", kind: "request" },
      { text: "/p", kind: "path" },
      { text: "1", kind: "param" },
      { text: "bad", kind: "param" },
    ])
    expect(answer).toMatchObject({ class: "xss", method: "ml", model: "word/1" })
    // 0.3 and 1 times the log-odds of 0.9.
    expect(answer.confidence).toBeCloseTo(1 / (1 + Math.exp(-1.3 * Math.log(9))), 12)
    expect(answer.probabilities.xss).toBe(answer.confidence)
    expect(answer.probabilities.other_attack).toBe(0)
  })

  test("fieldwiseClassifier keeps what its base says of itself", () => {
    const base = wordClassifier()
    const { info, certainThreshold, thresholds } = fieldwiseClassifier(base)
    expect({ info, certainThreshold }).toEqual({ info: base.info, certainThreshold: 0.8 })
    expect(thresholds).toEqual({ "0.001": 0.7 })
  })

  test("fieldwiseClassifier places the spans of a decoded field in the whole text", () => {
    const json = encodeURIComponent('{"k":"é bad"}')
    const text = `/p?a=1&j=${json}&c=ba${"d".repeat(2)}`
    const spans = fieldwiseClassifier(wordClassifier()).explain({ text, kind: "request" })
    expect(spans.length).toBeGreaterThan(0)
    for (const span of spans) {
      expect(text.slice(span.start, span.end)).toBe("bad")
      expect(span.text).toBe("bad")
    }
  })

  test("fieldwiseClassifier explains by the whole where only the whole looks like an attack", () => {
    const text = "/p?a=b&ad=1&b=2"
    const split = { ...wordClassifier(), classify: wholeOnly(text) }
    const fieldwise = fieldwiseClassifier(split)
    expect(1 - (fieldwise.classify({ text }).probabilities.benign ?? 0)).toBeGreaterThan(0.9)
    expect(fieldwise.explain({ text })).toEqual(split.explain({ text }))
  })
})

describe("fieldwiseClassifier with the shipped model", () => {
  test("fieldwiseClassifier finds one field's attack in a long query and shows where it stands", async () => {
    const directory = resolve(import.meta.dir, "../../../models/payload-linear")
    const [version = ""] = (await readdir(directory)).sort().reverse()
    const model = await loadPayloadClassifier(join(directory, version))
    const attack = encodeURIComponent("1' UNION SELECT name, password FROM users -- ")
    const rest = "sort=price_asc&page=2&utm_source=newsletter&utm_campaign=spring"
    const text = `/shop/list?category=shoes&id=${attack}&${rest}`
    const fieldwise = fieldwiseClassifier(model)
    const answer = fieldwise.classify({ text, kind: "request" })
    expect(answer.class).toBe("sql_injection")
    expect(answer.confidence).toBeGreaterThan(
      model.classify({ text: `/shop/list?category=shoes&id=1&${rest}`, kind: "request" })
        .probabilities.sql_injection ?? 1,
    )
    const [span] = fieldwise.explain({ text, kind: "request" })
    const start = text.indexOf(attack)
    expect(span?.start).toBeWithin(start, start + attack.length)
    expect(span?.end).toBeWithin(start + 1, start + attack.length + 1)
    expect(span?.text).toBe(text.slice(span?.start, span?.end))
  })
})

/** Certain of the text as a whole, and of nothing in it. */
function wholeOnly(whole: string): PayloadClassifier["classify"] {
  return ({ text }) => {
    const xss = text === whole ? 0.9999 : 0.0001
    const probabilities = { xss, benign: 1 - xss }
    return { class: "xss", confidence: xss, probabilities, method: "ml", model: "word/1" }
  }
}

const share = fc.double({ min: 0, max: 1, noNaN: true })

describe("combineLogOdds", () => {
  test("combineLogOdds never falls when the whole or the worst field gets worse", () => {
    const grows = (whole: number, worst: number, more: number): void => {
      const of = (a: number, b: number) =>
        combineLogOdds({ benign: 1 - a }, { benign: 1 - b }).value
      const worse = (value: number): number => value + more * (1 - value)
      expect(of(worse(whole), worst)).toBeGreaterThanOrEqual(of(whole, worst) - 1e-9)
      expect(of(whole, worse(worst))).toBeGreaterThanOrEqual(of(whole, worst) - 1e-9)
    }
    fc.assert(fc.property(share, share, share, grows))
  })
})

describe("pooledProbabilities", () => {
  test("pooledProbabilities sums to 1 over any classes, and benign is always there", () => {
    const opinion = fc.array(fc.double({ min: 1e-9, max: 1, noNaN: true }), {
      minLength: 6,
      maxLength: 6,
    })
    const sums = (one: readonly number[], other: readonly number[]): void => {
      const pooled = pooledProbabilities(distribution(one), distribution(other))
      const values = Object.values(pooled)
      expect(Object.keys(pooled).sort()).toEqual([...NAMES].sort())
      expect(values.reduce((sum, value) => sum + value, 0)).toBeCloseTo(1, 9)
      expect(values.every((value) => value >= 0 && value <= 1)).toBe(true)
    }
    fc.assert(fc.property(opinion, opinion, sums))
  })

  test("pooledProbabilities takes the class from the field where the whole sees no attack", () => {
    const whole = { xss: 0.02, sql_injection: 0.01, benign: 0.97 }
    const worst = { xss: 0.01, sql_injection: 0.98, benign: 0.01 }
    const { sql_injection: sql = 0, xss = 0 } = pooledProbabilities(whole, worst)
    expect(sql / (sql + xss)).toBeGreaterThan(0.97)
  })

  test("pooledProbabilities of two opinions without any attack is benign", () => {
    expect(pooledProbabilities({ xss: 0, benign: 1 }, { xss: 0, benign: 1 })).toEqual({
      xss: 0,
      benign: 1,
    })
  })
})

const NAMES = [
  "sql_injection",
  "xss",
  "command_injection",
  "path_traversal",
  "other_attack",
  "benign",
]

function distribution(weights: readonly number[]): Record<string, number> {
  const total = weights.reduce((sum, value) => sum + value, 0)
  return Object.fromEntries(NAMES.map((name, i) => [name, (weights[i] ?? 0) / total]))
}
