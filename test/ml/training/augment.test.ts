import { describe, expect, test } from "bun:test"
import { augmentRows } from "../../../src/ml/training/augment.ts"

const rows = Array.from({ length: 2_000 }, (_, index) => ({
  text: index % 2 === 0 ? `plain words number ${index}` : `' or ${index}=${index} --`,
  label: index % 2 === 0 ? ("benign" as const) : ("sql_injection" as const),
  source: index % 4 < 2 ? "a" : "b",
}))

describe("augmentRows", () => {
  test("is the same for the same seed and another for another", () => {
    expect(augmentRows(rows, 1)).toEqual(augmentRows(rows, 1))
    expect(augmentRows(rows, 2)).not.toEqual(augmentRows(rows, 1))
  })

  test("encodes both sides in like shares, makes pages, and pads attacks without losing them", () => {
    const further = augmentRows(rows, 3)
    const attacks = further.filter(({ label }) => label === "sql_injection")
    const padded = attacks.filter(({ text }) => /plain words.{0,4000}' or \d+=\d+ --/s.test(text))
    expect(padded.length).toBeGreaterThan(10)
    const benign = further.filter(({ label }) => label === "benign")
    const pages = benign.filter(({ text }) => /plain words.*plain words/s.test(text))
    expect(pages.length).toBeGreaterThan(10)
    const encoded = {
      attacks: attacks.filter(({ text }) => !text.includes("plain words")).length,
      benign: benign.length - pages.length,
    }
    expect(encoded.attacks).toBeGreaterThan(100)
    expect(Math.abs(encoded.benign - encoded.attacks)).toBeLessThan(encoded.attacks * 0.3)
    for (const { text } of further) expect(text.length).toBeLessThanOrEqual(4 * 4096 + 100)
  })
})
