import { describe, expect, test } from "bun:test"
import type { ApiParts } from "../../src/api/parts.ts"
import { expectError, start } from "../support/api-client.ts"

const BASE = "/api/v1/sentinel"

describe("errors", () => {
  test("createApi answers 404 for an unknown path and 405 with Allow for a wrong method", async () => {
    const { send } = start()
    expectError(await send(`${BASE}/nothing`), [404, "NOT_FOUND"])
    expectError(await send(`${BASE}/%ff%00/../..`), [404, "NOT_FOUND"])
    const wrong = await send(`${BASE}/analyze`)
    expectError(wrong, [405, "METHOD_NOT_ALLOWED"])
    expect(wrong.headers.get("allow")).toBe("POST")
    const verdict = await send(`${BASE}/verdicts/e1`, { method: "DELETE" })
    expectError(verdict, [405, "METHOD_NOT_ALLOWED"])
    expect(verdict.headers.get("allow")).toBe("GET, HEAD")
  })

  test("createApi says nothing of an unexpected error, and logs where but not what", async () => {
    for (const thrown of [new Error("t0psecret"), { t0psecret: 1 }, "t0psecret", undefined]) {
      const { send, seen } = start({
        stats() {
          throw thrown
        },
      })
      const answer = await send(`${BASE}/stats`)
      expectError(answer, [500, "INTERNAL"])
      expect(answer.text).not.toContain("t0psecret")
      expect(seen.logged.length).toBe(1)
      expect(seen.logged[0]).toContain(answer.headers.get("x-request-id") ?? "no id")
      expect(seen.logged[0]).not.toContain("t0psecret")
    }
  })

  test("createApi treats an error of Elysia's kind from below as unexpected", async () => {
    const { send } = start({
      stats() {
        throw Object.assign(new Error("x"), { code: "NOT_FOUND", status: 404 })
      },
    })
    expectError(await send(`${BASE}/stats`), [500, "INTERNAL"])
  })
})

describe("rebinding", () => {
  const from = (headers: Record<string, string>, changed: Partial<ApiParts> = {}) =>
    start(changed).send("/health", { headers })

  test.each(["127.0.0.1:8003", "localhost", "LOCALHOST:1", "[::1]:8003", "127.1.2.3"])(
    "createApi on loopback accepts the host %s",
    async (host) => {
      expect((await from({ host })).status).toBe(200)
    },
  )

  test.each([
    "evil.example",
    "localhost.evil.example:8003",
    "127.0.0.1.evil.example",
    "127.0.0.1:8003@evil.example",
    "localhost:8003:1",
    "0.0.0.0",
    "127.0.0.1 ",
    "x".repeat(5_000),
  ])("createApi on loopback without a token refuses the host %.40s", async (host) => {
    const answer = await from({ host: host.trim() === host ? host : `${host}x` })
    expectError(answer, [403, "FOREIGN_HOST"])
  })

  test.each([
    "http://evil.example",
    "null",
    "http://localhost:9",
    "file://",
    "http://127.0.0.1:80031",
  ])("createApi on loopback without a token refuses the origin %s", async (origin) => {
    const answer = await from({ host: "127.0.0.1:8003", origin })
    expectError(answer, [403, "FOREIGN_ORIGIN"])
  })

  test("createApi accepts its own origin, and any host once a token protects it", async () => {
    const own = { host: "localhost:8003", origin: "http://localhost:8003" }
    expect((await from(own)).status).toBe(200)
    const proxied = { host: "sentinel.example", origin: "https://sentinel.example" }
    expect((await from(proxied, { apiToken: "t" })).status).toBe(200)
  })

  test("createApi refuses a foreign host on unknown paths too", async () => {
    const { send } = start()
    expectError(await send("/nothing", { headers: { host: "evil.example" } }), [
      403,
      "FOREIGN_HOST",
    ])
  })
})
