import { describe, expect, test } from "bun:test"
import { findRelatives, type RelativesOptions } from "../../src/rules/relatives.ts"

const EXPLOIT = "1 union select name from users"
const OPTIONS: RelativesOptions = {
  class: "sql_injection",
  works: async () => true,
  seed: 1,
  count: 20,
  attemptsMax: 200,
}

describe("findRelatives", () => {
  test("findRelatives gives distinct texts that work, the same for the same seed", async () => {
    const works = async (text: string) => text.includes("users")
    const found = await findRelatives(EXPLOIT, { ...OPTIONS, works })
    expect(found).toHaveLength(20)
    expect(new Set(found).size).toBe(20)
    expect(found.every((text) => text.includes("users") && text !== EXPLOIT)).toBe(true)
    expect(await findRelatives(EXPLOIT, { ...OPTIONS, works })).toEqual(found)
  })

  test("findRelatives gives others for another seed, and none that is known", async () => {
    const found = await findRelatives(EXPLOIT, OPTIONS)
    const known = new Set(found)
    const others = await findRelatives(EXPLOIT, { ...OPTIONS, seed: 2, known })
    expect(others.filter((text) => known.has(text))).toEqual([])
  })

  test("findRelatives tries no more texts than it may, and stops when told", async () => {
    let tried = 0
    const works = async () => {
      tried += 1
      return false
    }
    expect(await findRelatives(EXPLOIT, { ...OPTIONS, works, attemptsMax: 30 })).toEqual([])
    expect(tried).toBeLessThanOrEqual(30)
    const signal = AbortSignal.abort()
    expect(await findRelatives(EXPLOIT, { ...OPTIONS, signal })).toEqual([])
  })

  test("findRelatives passes on what the sandbox throws", async () => {
    const works = () => Promise.reject(new Error("gone"))
    await expect(findRelatives(EXPLOIT, { ...OPTIONS, works })).rejects.toThrow("gone")
  })
})
