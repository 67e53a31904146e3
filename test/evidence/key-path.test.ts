import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { KeyPath } from "../../src/evidence/key-path.ts"

function pathOf(keys: readonly string[], from = KeyPath.empty()): KeyPath {
  return keys.reduce((path, key) => path.with(key), from)
}

/** By code point, in UTF-8, whose bytes sort alike. */
function sortedIndices(keys: readonly string[]): number[] {
  const last = [...new Map(keys.map((key, index) => [key, index])).values()]
  return last.sort((one, other) =>
    Buffer.compare(Buffer.from(keys[one] ?? ""), Buffer.from(keys[other] ?? "")),
  )
}

const keyLists = fc.array(fc.constantFrom("a", "b", "B", "ab", "", "é", "\uffff", "😀", 'q"'), {
  maxLength: 12,
})

describe("KeyPath", () => {
  test("KeyPath's order is that of code points, of duplicates the last, whatever went before", () => {
    const shared = KeyPath.empty()
    fc.assert(
      fc.property(keyLists, (keys) => {
        const path = pathOf(keys, shared)
        const order = sortedIndices(keys)
        expect(path.order).toEqual(order)
        expect(path.isSorted).toBe(order.every((at, index) => at === index && index < keys.length))
      }),
    )
  })

  test("KeyPath is the same object for the same keys, and says by which it went on last", () => {
    const root = KeyPath.empty()
    const path = pathOf(["method", "url"], root)
    expect(pathOf(["name", "value"], root)).not.toBe(path)
    expect(pathOf(["method", "url"], root)).toBe(path)
    expect(root.latest?.literal).toBe('"method"')
  })
})
