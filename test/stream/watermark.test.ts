import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { backoffMs } from "../../src/stream/backoff.ts"
import { Gate } from "../../src/stream/gate.ts"
import { type Ticket, Watermark } from "../../src/stream/watermark.ts"

function endOfFinishedRun(tickets: readonly Ticket[]): bigint | undefined {
  const open = tickets.findIndex((ticket) => !ticket.finished)
  const last = (open === -1 ? tickets : tickets.slice(0, open)).at(-1)
  return last === undefined ? undefined : last.offset + 1n
}

describe("Watermark", () => {
  test("stands one past the longest finished run, whatever the order of finishing", () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(10_000), { minLength: 1, maxLength: 60 }),
        fc.infiniteStream(fc.nat()),
        (offsets, shuffle) => {
          const ascending = offsets.toSorted((a, b) => a - b)
          const watermark = new Watermark()
          const open: Ticket[] = ascending.map((offset) => watermark.admit(BigInt(offset)))
          const tickets = [...open]
          while (open.length > 0) {
            const [ticket] = open.splice((shuffle.next().value ?? 0) % open.length, 1)
            if (ticket !== undefined) watermark.finish(ticket)
            expect(watermark.next).toBe(endOfFinishedRun(tickets))
          }
          expect(watermark.pending).toBe(0)
        },
      ),
    )
  })

  test("keeps its memory bounded over a million records", () => {
    const watermark = new Watermark()
    for (let offset = 0n; offset < 1_000_000n; offset += 1n) {
      watermark.finish(watermark.admit(offset))
    }
    expect(watermark.next).toBe(1_000_000n)
    expect(watermark.pending).toBe(0)
  })
})

describe("Gate", () => {
  test("admits in order, never more than its limit", async () => {
    const gate = new Gate(2)
    const signal = new AbortController().signal
    const admitted: number[] = []
    const entering = [1, 2, 3, 4].map(async (visitor) => {
      await gate.enter(signal)
      admitted.push(visitor)
    })
    await Promise.resolve()
    expect([gate.inside, gate.waiting]).toEqual([2, 2])
    gate.leave()
    gate.leave()
    await Promise.all(entering)
    expect(admitted).toEqual([1, 2, 3, 4])
  })

  test("a visitor who gives up leaves the line", async () => {
    const gate = new Gate(1)
    await gate.enter(new AbortController().signal)
    const impatient = new AbortController()
    const entering = gate.enter(impatient.signal)
    impatient.abort(new Error("gave up"))
    await expect(entering ?? Promise.resolve()).rejects.toThrow("gave up")
    expect(gate.waiting).toBe(0)
  })
})

describe("backoffMs", () => {
  test("stays within its doubling ceiling and its cap", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 2_000 }),
        fc.double({ min: 0, max: 0.999, noNaN: true }),
        (n, r) => {
          const wait = backoffMs(n, { attemptsMax: 9, baseMs: 100, capMs: 10_000 }, () => r)
          expect(wait).toBeGreaterThanOrEqual(0)
          expect(wait).toBeLessThan(Math.min(10_000, 100 * 2 ** Math.min(n - 1, 30)))
        },
      ),
    )
  })
})
