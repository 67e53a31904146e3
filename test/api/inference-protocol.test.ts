import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { start } from "../support/api-client.ts"

/** Requests and answers as the specification of the Open Inference Protocol (version 2) has them. */

const MODEL = "/v2/models/payload-test"
const CLASSES = "sql_injection,xss,command_injection,path_traversal,other_attack,benign"

function bytesTensor(name: string, data: readonly unknown[]) {
  return { name, shape: [data.length], datatype: "BYTES", data }
}

describe("Open Inference Protocol", () => {
  test.each([
    ["/v2", { name: "sentinel", version: "1.2.3", extensions: ["binary_tensor_data"] }],
    ["/v2/health/live", { live: true }],
    ["/v2/health/ready", { ready: true }],
    ["/v2/models", { models: ["payload-test"] }],
    [`${MODEL}/ready`, { name: "payload-test", ready: true }],
    [`${MODEL}/versions/1/ready`, { name: "payload-test", ready: true }],
  ])("createApi answers GET %s", async (path, expected) => {
    const answer = await start().send(path)
    expect({ status: answer.status, json: answer.json }).toEqual({ status: 200, json: expected })
  })

  test.each(["/v2/health/ready", `${MODEL}/ready`])(
    "createApi answers GET %s with 503 while the server is not ready, and stays live",
    async (path) => {
      const { send } = start({ ready: () => ({ ready: false, reasons: ["stopping"] }) })
      const answer = await send(path)
      expect({ status: answer.status, ready: answer.json.ready }).toEqual({
        status: 503,
        ready: false,
      })
      expect((await send("/v2/health/live")).status).toBe(200)
    },
  )

  test.each([MODEL, `${MODEL}/versions/1`])(
    "createApi describes the tensors at %s",
    async (path) => {
      const { json } = await start().send(path)
      expect(json).toMatchObject({ name: "payload-test", versions: ["1"], platform: "sentinel" })
      expect(json.inputs[0]).toEqual({ name: "payload", datatype: "BYTES", shape: [-1] })
      expect(json.outputs).toContainEqual({
        ...{ name: "probabilities", datatype: "FP64", shape: [-1, 6] },
        parameters: { classes: CLASSES },
      })
    },
  )
})

describe("Open Inference Protocol: infer", () => {
  test("createApi judges every payload in order and sends the id back", async () => {
    const { post } = start()
    const sent = { id: "42", inputs: [bytesTensor("payload", ["1' OR '1'='1", "hello"])] }
    const { status, json } = await post(`${MODEL}/versions/1/infer`, sent)
    expect(status).toBe(200)
    expect(json).toEqual({
      ...{ model_name: "payload-test", model_version: "1", id: "42" },
      outputs: [
        { name: "class", datatype: "BYTES", shape: [2], data: ["sql_injection", "benign"] },
        { name: "confidence", datatype: "FP64", shape: [2], data: [0.75, 0.75] },
        {
          ...{ name: "probabilities", datatype: "FP64", shape: [2, 6] },
          parameters: { classes: CLASSES },
          data: [0.75, 0, 0, 0, 0, 0.25, 0.25, 0, 0, 0, 0, 0.75],
        },
        { name: "method", datatype: "BYTES", shape: [2], data: ["ml", "ml"] },
        { name: "model", datatype: "BYTES", shape: [2], data: Array(2).fill("payload-test/1") },
      ],
    })
  })

  test("createApi answers the outputs that were asked for, and no id where none was given", async () => {
    const outputs = [{ name: "confidence" }, { name: "class" }]
    const { json } = await start().post(`${MODEL}/infer`, {
      ...{ inputs: [{ ...bytesTensor("payload", [["a"], ["'"]]), shape: [2, 1] }], outputs },
    })
    expect(json.outputs.map(({ name }: { name: string }) => name)).toEqual(["confidence", "class"])
    expect(json.outputs[1].data).toEqual(["benign", "sql_injection"])
    expect("id" in json).toBe(false)
  })

  test("createApi tells the classifier of kind, place and session of each payload", async () => {
    const { post, seen } = start()
    const inputs = [
      bytesTensor("payload", ["a", "b"]),
      bytesTensor("kind", ["cookie", ""]),
      bytesTensor("param", ["", "q"]),
      bytesTensor("content_type", ["", "text/plain"]),
    ]
    expect((await post(`${MODEL}/infer`, { inputs })).status).toBe(200)
    expect(seen.classified).toEqual([
      { text: "a", kind: "cookie", context: {} },
      { text: "b", context: { param: "q", contentType: "text/plain" } },
    ])
  })

  test("createApi keeps the session of each payload on its side of a split", async () => {
    const sessions: unknown[] = []
    const { parts } = start()
    const classifier: typeof parts.classifier = {
      ...parts.classifier,
      lookup(input, options) {
        sessions.push(options?.sessionId)
        return parts.classifier.lookup(input)
      },
    }
    const inputs = [bytesTensor("payload", ["a", "b"]), bytesTensor("session_id", ["s-1", ""])]
    await start({ classifier }).post(`${MODEL}/infer`, { inputs })
    expect(sessions).toEqual(["s-1", undefined])
  })

  test("createApi answers 1,000 payloads in their order", async () => {
    const payloads = Array.from({ length: 1_000 }, (_, index) => (index % 2 ? "'" : "a"))
    const { json } = await start().post(`${MODEL}/infer`, {
      inputs: [bytesTensor("payload", payloads)],
    })
    expect(json.outputs[0].data).toEqual(
      payloads.map((text) => (text === "'" ? "sql_injection" : "benign")),
    )
  })

  test("createApi gives the event loop back while it judges many payloads", async () => {
    const { parts } = start()
    const nextTurn = Promise.withResolvers<number>()
    let judged = 0
    const lookup: typeof parts.classifier.lookup = (input) => {
      const untilMs = performance.now() + 2
      while (performance.now() < untilMs);
      if (judged++ === 0) setImmediate(() => nextTurn.resolve(judged))
      return parts.classifier.lookup(input)
    }
    const { post } = start({ classifier: { ...parts.classifier, lookup } })
    await post(`${MODEL}/infer`, { inputs: [bytesTensor("payload", Array(50).fill("a"))] })
    expect(await nextTurn.promise).toBeLessThan(50)
  })

  test.each([
    ["no inputs", { inputs: [] }, "inputs"],
    ["no payload", { inputs: [bytesTensor("param", ["q"])] }, "inputs"],
    ["an unknown tensor", { inputs: [bytesTensor("text", ["q"])] }, "inputs"],
    ["a tensor twice", { inputs: Array(2).fill(bytesTensor("payload", ["q"])) }, "payload"],
    [
      "another datatype",
      { inputs: [{ ...bytesTensor("payload", ["q"]), datatype: "FP32" }] },
      "payload.datatype",
    ],
    ["no element", { inputs: [bytesTensor("payload", [])] }, "payload.shape"],
    ["too many", { inputs: [bytesTensor("payload", Array(1_001).fill("a"))] }, "payload.shape"],
    [
      "a second column",
      { inputs: [{ ...bytesTensor("payload", ["a", "b"]), shape: [1, 2] }] },
      "payload.shape",
    ],
    [
      "data that do not fit",
      { inputs: [{ ...bytesTensor("payload", ["a"]), shape: [2] }] },
      "payload.data",
    ],
    ["a number", { inputs: [bytesTensor("payload", [7])] }, "payload.data"],
    ["no data", { inputs: [{ name: "payload", shape: [1], datatype: "BYTES" }] }, "payload.data"],
    [
      "an unknown kind",
      { inputs: [bytesTensor("payload", ["a"]), bytesTensor("kind", ["secret"])] },
      "kind",
    ],
    [
      "a long name",
      { inputs: [bytesTensor("payload", ["a"]), bytesTensor("param", ["x".repeat(257)])] },
      "param",
    ],
    [
      "uneven tensors",
      { inputs: [bytesTensor("payload", ["a"]), bytesTensor("param", ["x", "y"])] },
      "param.shape",
    ],
    [
      "an unknown output",
      { inputs: [bytesTensor("payload", ["a"])], outputs: [{ name: "secret" }] },
      "outputs",
    ],
  ])(
    "createApi refuses %s with an error that is a text and names the tensor",
    async (_, sent, field) => {
      const { status, json } = await start().post(`${MODEL}/infer`, sent)
      expect(status).toBe(422)
      expect(Object.keys(json)).toEqual(["error"])
      expect(json.error).toStartWith(`${field}: `)
      expect(json.error).not.toContain("secret")
    },
  )

  test.each([
    ["/v2/models/other/infer", 404],
    [`${MODEL}/versions/2/infer`, 404],
    ["/v2/nothing", 404],
    ["/v2/health/live", 405],
  ])("createApi answers POST %s with %d and an error that is a text", async (path, expected) => {
    const { status, json } = await start().post(path, { inputs: [bytesTensor("payload", ["a"])] })
    expect(status).toBe(expected)
    expect(json.error).toEqual(expect.any(String))
  })

  test("createApi answers 503 when the model fails, never a class", async () => {
    const { parts } = start()
    const lookup = () => {
      throw new RangeError("secret")
    }
    const { post, seen } = start({ classifier: { ...parts.classifier, lookup } })
    const { status, json } = await post(`${MODEL}/infer`, {
      inputs: [bytesTensor("payload", ["a"])],
    })
    expect({ status, json }).toEqual({ status: 503, json: { error: "the model is not available" } })
    expect(seen.logged.join("")).not.toContain("secret")
  })

  test("createApi admits more small bodies at once than large ones", async () => {
    const { send } = start()
    const body = JSON.stringify({ inputs: [bytesTensor("payload", ["a"])] })
    const headers = { "content-length": String(body.length) }
    const calls = Array.from({ length: 20 }, () => send(`${MODEL}/infer`, { body, headers }))
    const statuses = (await Promise.all(calls)).map(({ status }) => status)
    expect(new Set(statuses)).toEqual(new Set([200]))
  })

  test("createApi takes a body of 4 MiB at most", async () => {
    const body = JSON.stringify({ inputs: [bytesTensor("payload", ["a".repeat(4_194_304)])] })
    const { status, json } = await start().send(`${MODEL}/infer`, { body })
    expect(status).toBe(413)
    expect(json.error).toEqual(expect.any(String))
  })

  test.each([
    ["application/json", 200],
    ["application/octet-stream", 200],
    ["text/plain", 415],
  ])("createApi answers the content type %s with %d", async (type, expected) => {
    const sent = { inputs: [bytesTensor("payload", ["a"])] }
    const { status } = await start().post(`${MODEL}/infer`, sent, { "content-type": type })
    expect(status).toBe(expected)
  })
})

/** A message whose payload tensor is binary: JSON, then the elements behind their lengths. */
function binaryMessage(texts: readonly (string | Uint8Array)[], changed: object = {}) {
  const elements = texts.flatMap((text) => {
    const bytes = Buffer.from(text as string)
    const length = Buffer.alloc(4)
    length.writeUInt32LE(bytes.length)
    return [length, bytes]
  })
  const tensor = Buffer.concat(elements)
  const parameters = { binary_data_size: tensor.length }
  const payload = { name: "payload", shape: [texts.length], datatype: "BYTES", parameters }
  const json = Buffer.from(JSON.stringify({ inputs: [{ ...payload, ...changed }] }))
  return {
    body: Buffer.concat([json, tensor]),
    headers: { "inference-header-content-length": String(json.length) },
  }
}

describe("Open Inference Protocol: binary tensors", () => {
  test("createApi takes binary texts of any characters", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: "grapheme" }), { minLength: 1, maxLength: 20 }),
        async (texts) => {
          const { send, seen } = start()
          expect((await send(`${MODEL}/infer`, binaryMessage(texts))).status).toBe(200)
          expect(seen.classified).toEqual(texts.map((text) => ({ text, context: {} })))
        },
      ),
      { numRuns: 30 },
    )
  })

  test("createApi answers binary tensors where they are asked for, in the order of the outputs", async () => {
    const sent = {
      inputs: [bytesTensor("payload", ["'", "a"])],
      parameters: { binary_data_output: true },
      outputs: [
        { name: "class" },
        { name: "method", parameters: { binary_data: false } },
        { name: "confidence" },
      ],
    }
    const { parts } = start()
    const { createApi } = await import("../../src/api/app.ts")
    const request = new Request(`http://127.0.0.1:8003${MODEL}/infer`, {
      ...{ method: "POST", body: JSON.stringify(sent) },
    })
    const response = await createApi(parts).handle(request)
    const bytes = Buffer.from(await response.arrayBuffer())
    const jsonLength = Number(response.headers.get("inference-header-content-length"))
    const { outputs } = JSON.parse(bytes.subarray(0, jsonLength).toString())
    expect(outputs).toEqual([
      { name: "class", datatype: "BYTES", shape: [2], parameters: { binary_data_size: 27 } },
      { name: "method", datatype: "BYTES", shape: [2], data: ["ml", "ml"] },
      { name: "confidence", datatype: "FP64", shape: [2], parameters: { binary_data_size: 16 } },
    ])
    const rest = bytes.subarray(jsonLength)
    expect(rest.subarray(0, 27).toString("latin1")).toBe("\r\0\0\0sql_injection\u0006\0\0\0benign")
    expect([rest.readDoubleLE(27), rest.readDoubleLE(35), rest.length]).toEqual([0.75, 0.75, 43])
  })

  test.each([
    ["more bytes than there are", { parameters: { binary_data_size: 99 } }],
    ["fewer bytes than there are", { parameters: { binary_data_size: 4 } }],
    ["another number of elements", { shape: [2] }],
  ])("createApi refuses a binary tensor that announces %s", async (_, changed) => {
    const { status, json } = await start().send(`${MODEL}/infer`, binaryMessage(["abcd"], changed))
    expect(status).toBe(422)
    expect(json.error).toStartWith("payload: ")
  })

  test("createApi refuses an element that is not UTF-8", async () => {
    const sent = binaryMessage(["a", Uint8Array.of(0xc0, 0xaf)])
    expect((await start().send(`${MODEL}/infer`, sent)).status).toBe(422)
  })

  test.each(["-1", "x", "999999", "1e3"])(
    "createApi refuses %p as the length of the JSON",
    async (length) => {
      const headers = { "inference-header-content-length": length }
      const { status } = await start().send(`${MODEL}/infer`, { ...binaryMessage(["a"]), headers })
      expect(status).toBe(422)
    },
  )

  test("createApi answers whatever bytes it is sent with 200 or an error that is a text", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.uint8Array({ maxLength: 200 }),
        fc.nat({ max: 250 }),
        async (bytes, length) => {
          const headers = { "inference-header-content-length": String(length) }
          const { status, json } = await start().send(`${MODEL}/infer`, { body: bytes, headers })
          expect([200, 400, 422]).toContain(status)
          if (status !== 200) expect(json.error).toEqual(expect.any(String))
        },
      ),
      { numRuns: 100 },
    )
  })
})
