import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { batchesOf } from "../../../src/ml/deep/batches.ts"
import { ByteWindows } from "../../../src/ml/deep/byte-windows.ts"
import { paddedLength, textBatch, VOCABULARY } from "../../../src/ml/deep/text-batch.ts"
import { Random } from "../../../src/ml/random.ts"

const texts = fc.array(fc.string({ maxLength: 400 }), { minLength: 1, maxLength: 40 })

function windowsOf(list: readonly string[]): ByteWindows {
  return new ByteWindows(list.map((text) => ({ text, label: "benign" as const, source: "test" })))
}

function allOf(windows: ByteWindows) {
  return Array.from({ length: windows.windowsOf(windows.size - 1).to }, (_, window) => ({ window }))
}

describe("batchesOf", () => {
  test("holds every window once, in batches of one padded length and bounded size", () => {
    fc.assert(
      fc.property(texts, fc.integer({ min: 1, max: 9 }), fc.boolean(), (list, size, shuffle) => {
        const windows = windowsOf(list)
        const all = allOf(windows)
        const options = shuffle ? { size, random: new Random(1) } : { size }
        const batches = batchesOf(windows, all, options)
        const found = batches.flat().map(({ window }) => window)
        expect(found.toSorted((one, other) => one - other)).toEqual(all.map(({ window }) => window))
        for (const batch of batches) {
          expect(batch.length).toBeLessThanOrEqual(size)
          const lengths = batch.map(({ window }) => paddedLength(windows.lengthOf(window)))
          expect(new Set(lengths).size).toBe(1)
        }
      }),
    )
  })
})

describe("textBatch", () => {
  test("gives ids within the vocabulary, and a mask that shows at least one token", () => {
    fc.assert(
      fc.property(texts, (list) => {
        const windows = windowsOf(list)
        for (const batch of batchesOf(windows, allOf(windows), { size: 8 })) {
          const rows = Int32Array.from(batch, ({ window }) => window)
          const { ids, mask } = textBatch(windows, rows)
          for (const id of ids.data) expect(Number(id) >= 0 && id < VOCABULARY).toBe(true)
          const [count = 0, tokens = 0] = mask.dims
          expect(count).toBe(batch.length)
          for (let row = 0; row < count; row++) expect(Number(mask.data[row * tokens])).toBe(0)
        }
      }),
    )
  })

  test("hides the share of bytes that it is told, and none without being told", () => {
    const windows = windowsOf(["abcdefgh".repeat(20)])
    const row = Int32Array.of(0)
    const hidden = (probability: number) => {
      const { ids } = textBatch(windows, row, { random: new Random(5), probability })
      return Array.from(ids.data, Number).filter((id, at) => at % 4 === 0 && id === 256).length
    }
    expect(hidden(0)).toBe(0)
    expect(hidden(1)).toBe(160)
    expect(hidden(0.25)).toBeGreaterThan(20)
    expect(hidden(0.25)).toBeLessThan(60)
  })
})
