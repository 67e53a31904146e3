import { afterEach, expect, test } from "bun:test"
import { connect } from "node:net"
import { createApi } from "../../src/api/app.ts"
import { type Listening, listen } from "../../src/api/listen.ts"
import type { ApiParts } from "../../src/api/parts.ts"
import { memoryParts } from "../support/api-parts.ts"

const PREDICT = "/api/v1/sentinel/predict-payload"
const opened: Listening[] = []

function start(changed: Partial<ApiParts> = {}): Listening {
  const { parts } = memoryParts(changed)
  const server = listen(createApi(parts), { ...parts, port: 0 })
  opened.push(server)
  return server
}

afterEach(async () => {
  for (const server of opened.splice(0)) await server.stop(0)
})

/** Sends bytes as they are and answers what comes back until the server closes. */
function raw(server: Listening, text: string): Promise<string> {
  const answered = Promise.withResolvers<string>()
  let received = ""
  const socket = connect(server.port, "127.0.0.1", () => socket.end(text))
  socket.on("data", (chunk) => {
    received += chunk
  })
  socket.on("close", () => answered.resolve(received))
  socket.on("error", answered.reject)
  return answered.promise
}

test("listen serves the API on a free port of loopback", async () => {
  const server = start()
  expect(server.url).toBe(`http://127.0.0.1:${server.port}`)
  const answer = await fetch(`${server.url}${PREDICT}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ payload: "1' OR '1'='1" }),
  })
  expect([answer.status, ((await answer.json()) as { class: string }).class]).toEqual([
    200,
    "sql_injection",
  ])
  expect(answer.headers.get("x-content-type-options")).toBe("nosniff")
})

test.each(["0.0.0.0", "::", "192.0.2.1", "sentinel.example", "127.0.0.1.example"])(
  "listen refuses to bind %s without a token",
  (host) => {
    const { parts } = memoryParts({ host })
    expect(() => listen(createApi(parts), { ...parts, port: 0 })).toThrow("SENTINEL_API_TOKEN")
  },
)

test("listen binds beyond loopback with a token, and any Host is served there", async () => {
  const server = start({ host: "0.0.0.0", apiToken: "t" })
  const url = `http://127.0.0.1:${server.port}/health`
  expect((await fetch(url, { headers: { host: "sentinel.example" } })).status).toBe(200)
})

test("listen refuses a rebound name over the wire", async () => {
  const server = start()
  const answer = await raw(
    server,
    "GET /health HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
  )
  expect(answer).toStartWith("HTTP/1.1 403")
  expect(answer).toContain("FOREIGN_HOST")
})

test("listen reports a port that is taken as unavailable", () => {
  const { parts } = memoryParts()
  const { port } = start()
  expect(() => listen(createApi(parts), { ...parts, port })).toThrow(
    `127.0.0.1:${port} is unavailable`,
  )
})

test("listen answers a body beyond the bound with the JSON of a 413", async () => {
  const server = start()
  const answer = await fetch(`${server.url}${PREDICT}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: new Uint8Array(1_000_000).fill(0x20),
  })
  expect(answer.status).toBe(413)
  expect(await answer.json()).toMatchObject({ error: { code: "TOO_LARGE", field: "body" } })
})

test("listen refuses a body larger than any route takes before reading it", async () => {
  const server = start()
  const head = `POST ${PREDICT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`
  const answer = await raw(server, `${head}Content-Length: 99999999999\r\n\r\n`)
  expect(answer).toStartWith("HTTP/1.1 413")
})

test("listen bounds a chunked body, whose length nobody announces", async () => {
  const server = start()
  const head = `POST ${PREDICT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nConnection: close\r\n`
  const chunk = `${(8_192).toString(16)}\r\n${" ".repeat(8_192)}\r\n`
  const answer = await raw(
    server,
    `${head}Transfer-Encoding: chunked\r\n\r\n${chunk.repeat(20)}0\r\n\r\n`,
  )
  expect(answer).toStartWith("HTTP/1.1 413")
})

test.each([
  ["a header that smuggles a line", "GET /health HTTP/1.1\r\nHost: localhost\r\nX: a\rb\r\n\r\n"],
  [
    "two lengths that disagree",
    `POST ${PREDICT} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n{}`,
  ],
  ["no HTTP at all", "\u0000\u0001\u0002 /\r\n\r\n"],
])("listen answers %s with a client error or a closed connection", async (_what, text) => {
  const server = start()
  const answer = await raw(server, text)
  expect(answer === "" || answer.startsWith("HTTP/1.1 4")).toBe(true)
  expect((await fetch(`${server.url}/health`)).status).toBe(200)
})

test("stop lets a request in flight finish and takes no new one", async () => {
  const [entered, gate] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const server = start({
    async submitEvidence() {
      entered.resolve()
      await gate.promise
      return { eventId: "late" }
    },
  })
  const answer = fetch(`${server.url}/api/v1/sentinel/evidence`, {
    method: "POST",
    headers: { "content-type": "application/json", connection: "close" },
    body: '{"evidence":{}}',
  })
  await entered.promise
  const stopped = server.stop(5_000)
  gate.resolve()
  expect((await answer).status).toBe(202)
  await stopped
  await expect(fetch(`${server.url}/health`)).rejects.toThrow()
})

test("stop cuts off a request that outlives the deadline", async () => {
  const entered = Promise.withResolvers<void>()
  const server = start({
    submitEvidence() {
      entered.resolve()
      return new Promise(() => {})
    },
  })
  const answer = fetch(`${server.url}/api/v1/sentinel/evidence`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: '{"evidence":{}}',
  })
  const outcome = answer.then(
    () => "answered",
    () => "cut off",
  )
  await entered.promise
  await server.stop(20)
  expect(await outcome).toBe("cut off")
})

test.each([
  ["127.0.0.1", undefined],
  ["0.0.0.0", "t"],
])("listen at %s refuses a request without a host", async (host, apiToken) => {
  const server = start({ host, apiToken })
  for (const path of ["/health", "/api/v1/sentinel/verdicts?limit=1", "/nowhere"]) {
    const answer = await raw(server, `GET ${path} HTTP/1.0\r\n\r\n`)
    expect(answer).toStartWith("HTTP/1.1 403")
    expect(answer).toContain('"code":"FOREIGN_HOST"')
  }
})
