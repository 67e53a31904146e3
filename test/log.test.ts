import { expect, test } from "bun:test"
import fc from "fast-check"
import { createLogger, type LogOptions } from "../src/log.ts"

function record(options: Partial<LogOptions> = {}) {
  const lines: string[] = []
  const nowMs = () => Date.UTC(2026, 0, 2, 3, 4, 5, 6)
  const log = createLogger({ write: (line) => lines.push(line), nowMs, ...options })
  return { log, lines }
}

test("createLogger writes one JSON object per call, with the time of the injected clock", () => {
  const { log, lines } = record()
  log.info("listening", { port: 8003, tls: false, host: "127.0.0.1", none: undefined })
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    {
      time: "2026-01-02T03:04:05.006Z",
      level: "info",
      message: "listening",
      port: 8003,
      tls: false,
      host: "127.0.0.1",
    },
  ])
})

test("createLogger drops what is below its level", () => {
  const { log, lines } = record({ level: "warn" })
  log.debug("a")
  log.info("b")
  log.warn("c")
  log.error("d")
  expect(lines.map((line) => JSON.parse(line).message)).toEqual(["c", "d"])
})

test("createLogger writes a readable line for a terminal", () => {
  const { log, lines } = record({ format: "text" })
  log.with({ operator: "fetch" }).warn("retried", { attempts: 2, reason: "no answer" })
  expect(lines).toEqual([
    '03:04:05.006 warn  retried operator="fetch" attempts=2 reason="no answer"\n',
  ])
})

test("createLogger redacts fields whose names say that they are secret", () => {
  const { log, lines } = record()
  log.info("x", {
    apiToken: "t0psecret",
    MINIO_SECRET_KEY: "t0psecret",
    Authorization: "t0psecret",
  })
  expect(lines.join("")).not.toContain("t0psecret")
})

test("createLogger never lets a field replace the level or the message", () => {
  const { log, lines } = record()
  log.error("real", { level: "debug", message: "forged", time: "never" })
  expect(JSON.parse(lines.join(""))).toMatchObject({ level: "error", message: "real" })
})

test("createLogger writes exactly one bounded line, free of control characters, for any text", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.constantFrom("json", "text"), (text, format) => {
      const { log, lines } = record({ format })
      log.info(text, { value: `\u001b[31m\r\n${text}`, [text]: text })
      expect(lines.length).toBe(1)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must be absent
      expect(lines.join("")).toMatch(/^[^\u0000-\u001f\u007f-\u009f\u202e]*\n$/)
    }),
  )
  const { log, lines } = record()
  log.info("x".repeat(1_000_000))
  expect(lines.join("").length).toBeLessThan(3_000)
})
