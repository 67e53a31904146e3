import { expect, test } from "bun:test"
import { escapedLines, loadTexts } from "../../../bench/serving/texts.ts"

const texts = loadTexts()

test("loadTexts has a median of 120 bytes everywhere in the list, and no text beyond 1,000", () => {
  for (const stretch of [texts, texts.slice(0, 200), texts.slice(-200)]) {
    const bytes = stretch.map((text) => Buffer.byteLength(text))
    expect(bytes.filter((length) => length < 120).length).toBe(stretch.length / 2)
    expect(Math.max(...bytes)).toBeLessThanOrEqual(1_000)
  }
})

test("loadTexts has far more different texts than the cache holds", () => {
  expect(new Set(texts).size).toBeGreaterThan(15_000)
})

test("escapedLines holds each text on one line, as it stands inside a JSON string", () => {
  const awkward = ['"', "\\", "\n\r\u2028", "\u0000", "😀"]
  const lines = escapedLines(awkward).trimEnd().split("\n")
  expect(lines.map((line) => JSON.parse(`"${line}"`))).toEqual(awkward)
})
