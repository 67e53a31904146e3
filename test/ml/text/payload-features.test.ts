import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { DENSE_NAMES } from "../../../src/ml/text/dense-features.ts"
import { Normalizer } from "../../../src/ml/text/normalize.ts"
import { PayloadFeatures, WINDOW_BYTES } from "../../../src/ml/text/payload-features.ts"
import { windowAt, windowCount } from "../../../src/ml/text/windows.ts"

const normalizer = new Normalizer()
const features = new PayloadFeatures()

function compute(text: string): PayloadFeatures {
  const normalized = normalizer.normalize(text)
  const end = Math.min(normalized.length, WINDOW_BYTES)
  features.compute(normalized, { start: 0, end, undone: normalizer.undone, kind: "param" })
  return features
}

function dense(text: string, name: string): number {
  return compute(text).dense.values[DENSE_NAMES.indexOf(name)] ?? Number.NaN
}

describe("PayloadFeatures", () => {
  test("compute lists each distinct n-gram of bytes and words once", () => {
    // a, b, c, ab, bc, abc; the word abc
    expect(compute("abc").bucketCount).toBe(7)
    // a and aa, aaa, aaaa; the word aaaa
    expect(compute("aaaa").bucketCount).toBe(5)
    expect(compute("").bucketCount).toBe(0)
  })

  test("compute gives one number's n-grams to all numbers of its length", () => {
    const first = [...compute("id=1234").buckets.slice(0, features.bucketCount)]
    const second = [...compute("id=9876").buckets.slice(0, features.bucketCount)]
    expect(first).toEqual(second)
  })

  test("compute keeps every dense feature within 0..1 and finite", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 400 }), (text) => {
        for (const value of compute(text).dense.values) {
          expect(value).toBeGreaterThanOrEqual(0)
          expect(value).toBeLessThanOrEqual(1)
        }
      }),
    )
  })

  test("compute counts bytes by their kind as a plain count of the window does", () => {
    const text = fc.string({ unit: fc.constantFrom(..."aZ7 \n'.-_(é"), maxLength: 300 })
    fc.assert(
      fc.property(text, (written) => {
        const { values } = compute(written).dense
        const { bytes, length } = normalizer.normalize(written)
        const end = Math.min(length, WINDOW_BYTES)
        const window = Buffer.from(bytes.subarray(0, end)).toString("latin1")
        const share = (kind: RegExp) => (window.match(kind)?.length ?? 0) / Math.max(1, end)
        const ratios = [/[a-z]/g, /\d/g, /\s/g, /[!-/:-@[-`{-~]/g, /[\x80-\xff]/g].map(share)
        const first = DENSE_NAMES.indexOf("letterRatio")
        for (const [index, ratio] of ratios.entries()) {
          expect(values[first + index]).toBeCloseTo(ratio, 6)
        }
        const quotes = window.split("'").length - 1
        expect(values[DENSE_NAMES.indexOf("count.singleQuote")]).toBeCloseTo(
          quotes / (quotes + 1),
          6,
        )
      }),
    )
  })

  test("compute covers the window with its occurrences and never leaves it", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 400 }), (text) => {
        compute(text)
        for (let i = 0; i < features.occurrenceCount; i++) {
          const [from = -1, to = -1] = [features.occurrenceStarts[i], features.occurrenceEnds[i]]
          expect(from).toBeGreaterThanOrEqual(0)
          expect(to).toBeGreaterThan(from)
          expect(to).toBeLessThanOrEqual(WINDOW_BYTES)
        }
      }),
    )
  })

  test.each([
    ["tautology", "' or 7=7", 0.5],
    ["tautology", "' or 'a'='a'", 0.5],
    ["tautology", "' or 7=8", 0],
    ["commandAfterSeparator", "x; wget y | sh", 2 / 3],
    ["commandAfterSeparator", "the cat and the id", 0],
    ["handlerAssignment", "<img onerror=x>", 0.5],
    ["tagOpened", "<script>", 0.5],
    ["tagOpened", "script", 0],
    ["dotDot", "../../", 2 / 3],
    ["dotDot", "a--b", 0],
    ["dashDash", "1 -- ---", 3 / 4],
    ["oddSingleQuotes", "o'brien", 1],
  ])("dense feature %s of %p is %p", (name, text, expected) => {
    expect(dense(text, name)).toBeCloseTo(expected, 6)
  })
})

describe("windowAt", () => {
  test("covers every byte, with windows that overlap and are no longer than one alone", () => {
    fc.assert(
      fc.property(fc.nat(5000), (length) => {
        let covered = 0
        for (let index = 0; index < windowCount(length); index++) {
          const { start, end } = windowAt(length, index)
          expect(start).toBeLessThanOrEqual(covered)
          expect(end - start).toBeLessThanOrEqual(WINDOW_BYTES)
          covered = end
        }
        expect(covered).toBe(length)
      }),
    )
  })
})
