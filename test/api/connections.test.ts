import { afterEach, describe, expect, test } from "bun:test"
import { connect, type Socket } from "node:net"
import { createApi } from "../../src/api/app.ts"
import { type Listening, listen } from "../../src/api/listen.ts"
import { memoryParts } from "../support/api-parts.ts"

/** What happens on one connection, byte by byte. */

const PREDICT = "/api/v1/sentinel/predict-payload"
const opened: { server: Listening; socket: Socket }[] = []

afterEach(async () => {
  for (const { server, socket } of opened.splice(0)) {
    socket.destroy()
    await server.stop(0)
  }
})

/** A server, and a connection to it. */
async function open() {
  const { parts } = memoryParts()
  const server = listen(createApi(parts), { ...parts, port: 0 })
  const socket = connect(server.port, "127.0.0.1")
  opened.push({ server, socket })
  let received = ""
  let enough = { count: 0, resolve: (_: string) => {} }
  socket.on("data", (chunk) => {
    received += chunk
    if (received.split("HTTP/1.1 ").length > enough.count) enough.resolve(received)
  })
  const closed = new Promise<string>((resolve) => socket.on("close", () => resolve(received)))
  /** What has come once that many answers began. */
  const answers = (count: number) =>
    new Promise<string>((resolve) => {
      enough = { count, resolve }
      if (received.split("HTTP/1.1 ").length > count) resolve(received)
    })
  return { socket, answers, closed }
}

function predict(payload: string): string {
  const body = JSON.stringify({ payload })
  const head = `POST ${PREDICT} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n`
  return `${head}Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`
}

const statusesOf = (text: string) => [...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, code]) => code)
const classesOf = (text: string) => [...text.matchAll(/"class":"(\w+)"/g)].map(([, name]) => name)

describe("a connection", () => {
  test("listen keeps it for the next request, also after a refusal", async () => {
    const { socket, answers } = await open()
    socket.write(predict("'"))
    await answers(1)
    socket.write(predict("a").replace('"payload"', '"nothing"'))
    await answers(2)
    socket.write("GET /nowhere HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await answers(3)
    socket.write(predict("a"))
    const received = await answers(4)
    expect(statusesOf(received)).toEqual(["200", "422", "404", "200"])
    expect(classesOf(received)).toEqual(["sql_injection", "benign"])
  })

  test("listen answers requests that come in one piece in their order", async () => {
    const { socket, answers } = await open()
    socket.write(predict("a") + predict("'") + predict("b"))
    expect(classesOf(await answers(3))).toEqual(["benign", "sql_injection", "benign"])
  })

  test("listen takes a request that comes in pieces", async () => {
    const { socket, answers } = await open()
    const text = predict("'")
    socket.setNoDelay(true)
    for (const piece of [text.slice(0, 9), text.slice(9, -3), text.slice(-3)]) {
      await new Promise<void>((resolve) => socket.write(piece, () => resolve()))
    }
    expect(classesOf(await answers(1))).toEqual(["sql_injection"])
  })

  test("listen closes it when the client says so", async () => {
    const { socket, closed } = await open()
    socket.write(predict("a").replace("Host:", "Connection: close\r\nHost:"))
    expect(statusesOf(await closed)).toEqual(["200"])
  })
})
