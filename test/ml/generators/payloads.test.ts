import { describe, expect, test } from "bun:test"
import { PAYLOAD_CLASSES } from "../../../src/events.ts"
import { generatePayloads } from "../../../src/ml/generators/payloads.ts"

describe("generatePayloads", () => {
  test("gives the same list for the same seed and another for another", () => {
    const first = [...generatePayloads({ seed: 3, count: 200 })]
    expect([...generatePayloads({ seed: 3, count: 200 })]).toEqual(first)
    expect([...generatePayloads({ seed: 4, count: 200 })]).not.toEqual(first)
  })

  test("writes every class, varied and bounded", () => {
    const payloads = [...generatePayloads({ seed: 5, count: 4000 })]
    for (const label of PAYLOAD_CLASSES) {
      const texts = payloads.filter((payload) => payload.label === label).map(({ text }) => text)
      expect(texts.length).toBeGreaterThan(200)
      expect(new Set(texts).size / texts.length).toBeGreaterThan(0.75)
    }
    for (const { text, label } of payloads) {
      expect(text.length).toBeLessThanOrEqual(4096)
      if (label !== "benign") expect(text.trim()).not.toBe("")
    }
  })

  test("never labels a bare word as an attack on a shell", () => {
    for (const { text, label, kind } of generatePayloads({ seed: 6, count: 4000 })) {
      if (label === "command_injection" && kind === "param") expect(text).toMatch(/[^a-z]/)
    }
  })
})
