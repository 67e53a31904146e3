import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { deltaDebug } from "../../src/operators/delta-debugging.ts"

const holds = (needed: readonly number[]) => async (units: readonly number[]) =>
  needed.every((one) => units.includes(one))

/** True where `needed` is a subsequence of `units`: order counts. */
function isSubsequence(needed: readonly number[], units: readonly number[]): boolean {
  let at = 0
  for (const unit of units) if (unit === needed[at]) at += 1
  return at === needed.length
}

describe("deltaDebug", () => {
  test("deltaDebug leaves exactly what is needed, wherever it stands", async () => {
    const spread = fc.uniqueArray(fc.integer({ min: 0, max: 40 }), { maxLength: 6 })
    await fc.assert(
      fc.asyncProperty(spread, fc.integer({ min: 1, max: 41 }), async (needed, length) => {
        const units = Array.from({ length }, (_, index) => index)
        const present = needed.filter((one) => one < length).sort((a, b) => a - b)
        const left = await deltaDebug(units, holds(present), 100_000)
        // the last unit stays: what is empty proves nothing
        expect(left).toEqual(present.length === 0 ? left.slice(0, 1) : present)
      }),
    )
  })

  test("deltaDebug is 1-minimal and keeps the order", async () => {
    const keeps = async (units: readonly number[]) => isSubsequence([5, 2, 9], units)
    const units = [1, 5, 5, 7, 2, 3, 9, 9]
    expect(await deltaDebug(units, keeps, 1_000)).toEqual([5, 2, 9])
  })

  test("deltaDebug stops at its bound with the shortest that it has found", async () => {
    const units = Array.from({ length: 64 }, (_, index) => index)
    let calls = 0
    const keeps = async (some: readonly number[]) => {
      calls += 1
      return some.includes(3) && some.includes(60)
    }
    const left = await deltaDebug(units, keeps, 20)
    expect(calls).toBe(20)
    expect(left.length).toBeLessThan(64)
    expect([left.includes(3), left.includes(60)]).toEqual([true, true])
  })
})
