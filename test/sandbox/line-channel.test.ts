import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { LineChannel } from "../../src/sandbox/line-channel.ts"

const never = new AbortController().signal
const bytes = (text: string) => new TextEncoder().encode(text)

describe("LineChannel", () => {
  test("gives back the lines that were fed, however they were cut into chunks", async () => {
    const line = fc
      .string({ unit: "grapheme", maxLength: 40 })
      .filter((text) => !text.includes("\n"))
    const lines = fc.array(line, { minLength: 1, maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(lines, fc.integer({ min: 1, max: 9 }), async (texts, size) => {
        const channel = new LineChannel(() => undefined)
        const all = bytes(texts.map((text) => `${text}\n`).join(""))
        for (let at = 0; at < all.length; at += size) channel.feed(all.subarray(at, at + size))
        for (const text of texts) expect(await channel.receive(never)).toBe(text.toWellFormed())
        expect(channel.hasUnsolicited).toBe(false)
      }),
    )
  })

  test("ends where a line is longer than 4 MiB, without keeping it", async () => {
    const channel = new LineChannel(() => undefined)
    const chunk = new Uint8Array(1024 * 1024).fill(0x61)
    for (let number = 0; number < 5; number++) channel.feed(chunk)
    expect(channel.ended).toBe("too_much")
    expect(await channel.receive(never)).toBeUndefined()
  })

  test("ends where more lines wait than anybody asked for", () => {
    const channel = new LineChannel(() => undefined)
    for (let number = 0; number < 9; number++) channel.feed(bytes("x\n"))
    expect(channel.ended).toBe("too_much")
  })

  test("tells of a line that nobody asked for, and of half of one", () => {
    const whole = new LineChannel(() => undefined)
    whole.feed(bytes("x\n"))
    expect(whole.hasUnsolicited).toBe(true)
    const half = new LineChannel(() => undefined)
    half.feed(bytes("x"))
    expect(half.hasUnsolicited).toBe(true)
  })

  test("wakes who waits at a line, at the end and at an abort", async () => {
    const channel = new LineChannel(() => undefined)
    const first = channel.receive(never)
    channel.feed(bytes("one\n"))
    expect(await first).toBe("one")
    const stop = new AbortController()
    const aborted = channel.receive(stop.signal)
    stop.abort()
    expect(await aborted).toBeUndefined()
    const ended = channel.receive(never)
    channel.end()
    expect(await ended).toBeUndefined()
  })

  test("writes one line each, and none once it has ended", () => {
    const written: string[] = []
    const channel = new LineChannel((text) => written.push(text))
    channel.send("a")
    channel.end()
    channel.send("b")
    expect(written).toEqual(["a\n"])
  })
})
