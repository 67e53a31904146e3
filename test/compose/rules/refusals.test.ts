import { describe, expect, test } from "bun:test"
import { Refusals } from "../../../src/compose/rules/refusals.ts"
import { UnavailableError } from "../../../src/errors.ts"
import { RuleRefusedError } from "../../../src/rules/rule-refused-error.ts"

const HOUR_MS = 3_600_000
const exploit = (value: string) => ({ class: "xss", value, location: "query:q" }) as const

function counting() {
  let nowMs = 0
  let asked = 0
  const refusals = new Refusals({ nowMs: () => nowMs })
  const refuse = (value: string) =>
    refusals
      .recall(exploit(value), async () => {
        asked += 1
        throw new RuleRefusedError("it meets benign requests")
      })
      .catch((error: unknown) => error)
  return { refusals, refuse, asked: () => asked, wait: (ms: number) => (nowMs += ms) }
}

describe("Refusals", () => {
  test("recall asks once an hour for each exploit", async () => {
    const { refuse, asked, wait } = counting()
    expect(await refuse("a")).toBeInstanceOf(RuleRefusedError)
    expect(await refuse("a")).toBeInstanceOf(RuleRefusedError)
    await refuse("b")
    expect(asked()).toBe(2)
    wait(HOUR_MS)
    await refuse("a")
    expect(asked()).toBe(3)
  })

  test("recall remembers neither a success nor an outage", async () => {
    const { refusals } = counting()
    expect(await refusals.recall(exploit("a"), async () => 1)).toBe(1)
    const away = () => Promise.reject(new UnavailableError("a worker thread"))
    await expect(refusals.recall(exploit("a"), away)).rejects.toThrow(UnavailableError)
    expect(await refusals.recall(exploit("a"), async () => 2)).toBe(2)
  })

  test("recall remembers 1,000 exploits, the latest", async () => {
    const { refuse, asked } = counting()
    for (let index = 0; index <= 1_000; index++) await refuse(`x${index}`)
    await refuse("x1")
    expect(asked()).toBe(1_001)
    await refuse("x0")
    expect(asked()).toBe(1_002)
  })
})
