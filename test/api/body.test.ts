import { expect, test } from "bun:test"
import { readBytes } from "../../src/api/body.ts"

const MIB = 1_024 * 1_024

function requestOf(body: BodyInit): Request {
  return new Request("http://localhost/", { method: "POST", body })
}

test("readBytes gives up on a large body that drips", async () => {
  const dripping = new ReadableStream({
    start: (controller) => controller.enqueue(new Uint8Array(1)),
  })
  await expect(readBytes(requestOf(dripping), MIB, 10)).rejects.toThrow("did not arrive in time")
})

test("readBytes joins the chunks of a stream in order", async () => {
  const chunks = [[1, 2], [], [3]].map((bytes) => new Uint8Array(bytes))
  const stream = new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk)
      controller.close()
    },
  })
  expect([...(await readBytes(requestOf(stream), MIB))]).toEqual([1, 2, 3])
})

test("readBytes of no body is no bytes", async () => {
  const request = new Request("http://localhost/", { method: "POST" })
  expect((await readBytes(request, MIB)).length).toBe(0)
})
