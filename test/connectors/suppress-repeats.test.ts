import { describe, expect, test } from "bun:test"
import { type RepeatableEntry, suppressRepeats } from "../../src/connectors/suppress-repeats.ts"

function quiet() {
  const lines: string[] = []
  const clock = { nowMs: 0 }
  const log = ({ component, message, repeated = 0 }: RepeatableEntry) => {
    lines.push(`${component}: ${message} x${repeated}`)
  }
  const tell = suppressRepeats(log, { quietMs: 1_000, nowMs: () => clock.nowMs })
  return { lines, clock, tell }
}

describe("suppressRepeats", () => {
  test("suppressRepeats tells a message once, then how often it was repeated", () => {
    const { lines, clock, tell } = quiet()
    for (let attempt = 0; attempt < 50; attempt++) {
      clock.nowMs = attempt * 30
      tell({ component: "Connection", message: `refused, retry ${attempt}` })
    }
    expect(lines).toEqual(["Connection: refused, retry 0 x0", "Connection: refused, retry 34 x33"])
  })

  test("suppressRepeats tells other messages and components at once", () => {
    const { lines, tell } = quiet()
    tell({ component: "Connection", message: "refused" })
    tell({ component: "BrokerPool", message: "refused" })
    tell({ component: "Connection", message: "reset" })
    expect(lines).toEqual([
      "Connection: refused x0",
      "BrokerPool: refused x0",
      "Connection: reset x0",
    ])
  })

  test("suppressRepeats remembers a bounded number of messages", () => {
    const { lines, tell } = quiet()
    const messages = Array.from({ length: 65 }, (_, i) => "a".repeat(i + 1))
    for (const message of messages) tell({ component: "c", message })
    tell({ component: "c", message: "aa" })
    expect(lines.length).toBe(65)
    tell({ component: "c", message: "a" })
    expect(lines.length).toBe(66)
  })
})
