import { expect, test } from "bun:test"
import { connect } from "node:net"
import { createApi } from "../../src/api/app.ts"
import { listen } from "../../src/api/listen.ts"
import { memoryParts } from "../support/api-parts.ts"

const HEAD = "POST /api/v1/sentinel/predict-payload HTTP/1.1\r\nHost: localhost\r\n"
/** The runtime gives a head ten seconds, whatever it is told, and looks every four. */
const TIMEOUT_MS = 20_000
const DRIP_MS = 300

/** Resolves with what came back when the server lets go. */
function sendSlowly(port: number, text: string, drip: string): Promise<string> {
  return new Promise((resolve) => {
    let received = ""
    const socket = connect(port, "127.0.0.1", () => socket.write(text))
    const timer = setInterval(() => drip !== "" && socket.write(drip), DRIP_MS)
    socket.on("data", (chunk) => {
      received += chunk
    })
    socket.on("error", () => {})
    socket.on("close", () => {
      clearInterval(timer)
      resolve(received)
    })
  })
}

test(
  "listen lets go of clients that send nothing, half a head, a head in drips or half a body",
  async () => {
    const { parts, seen } = memoryParts()
    const server = listen(createApi(parts), { ...parts, port: 0, idleTimeoutS: 1 })
    try {
      const half = `${HEAD}Content-Type: application/json\r\nContent-Length: 50\r\n\r\n{"payload":`
      const received = await Promise.all([
        sendSlowly(server.port, "", ""),
        sendSlowly(server.port, HEAD, ""),
        sendSlowly(server.port, `${HEAD}X-Drip: `, "x"),
        sendSlowly(server.port, half, ""),
      ])
      expect(received.join("")).not.toContain("HTTP/1.1 200")
      expect(seen.classified).toEqual([])
      expect((await fetch(`${server.url}/health`)).status).toBe(200)
    } finally {
      await server.stop(0)
    }
  },
  TIMEOUT_MS,
)
