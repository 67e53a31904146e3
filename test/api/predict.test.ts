import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { expectError, start } from "../support/api-client.ts"
import { memoryParts } from "../support/api-parts.ts"

const BASE = "/api/v1/sentinel"

describe("POST predict-payload", () => {
  test("createApi answers class, confidence, probabilities, method, model and cached", async () => {
    const { post } = start()
    const first = await post(`${BASE}/predict-payload`, { payload: "1' OR '1'='1" })
    expect(first.status).toBe(200)
    expect(first.json).toEqual({
      class: "sql_injection",
      confidence: 0.75,
      probabilities: { sql_injection: 0.75, benign: 0.25 },
      method: "ml",
      model: "payload-test/1",
      cached: false,
    })
    const second = await post(`${BASE}/predict-payload`, { payload: "1' OR '1'='1" })
    expect(second.json.cached).toBe(true)
  })

  test("createApi adds the second opinion of the signatures and whether it agrees", async () => {
    const { post } = start({ signatures: () => ({ class: "xss", matched: ["script_tag"] }) })
    const answer = await post(`${BASE}/predict-payload`, { payload: "<script>", explain: true })
    expect(answer.json.signatures).toEqual({ class: "xss", agrees: false, matched: ["script_tag"] })
    expect(answer.json.class).toBe("benign")
  })

  test.each([
    [
      { param: "q", path: "/p", method: "GET" },
      { param: "q", path: "/p", method: "GET" },
    ],
    [{ content_type: "text/plain" }, { contentType: "text/plain" }],
    [{ param: null, path: "", session_id: "s", unknown: [1] }, {}],
  ])("createApi tells the classifier of the context %j", async (context, told) => {
    const { post, seen } = start()
    const sent = { payload: "../../etc", context }
    expect((await post(`${BASE}/predict-payload`, sent)).status).toBe(200)
    expect(seen.classified).toEqual([{ text: "../../etc", context: told }])
  })

  test("createApi passes a kind that the client is sure of", async () => {
    const { post, seen } = start()
    const sent = { payload: "x", context: { kind: "cookie" } }
    expect((await post(`${BASE}/predict-payload`, sent)).status).toBe(200)
    expect(seen.classified).toEqual([{ text: "x", kind: "cookie", context: {} }])
  })

  test("createApi passes hostile text to the classifier unchanged", async () => {
    const { send, seen } = start()
    const payload = "\u0000\r\n\u202e\ud800 {{7*7}} __proto__"
    const body = JSON.stringify({ payload })
    expect((await send(`${BASE}/predict-payload`, { body })).status).toBe(200)
    expect(seen.classified).toEqual([{ text: payload }])
  })

  test.each([
    ['{"payload":1}', 422, "MALFORMED", "payload"],
    ['{"payload":null}', 422, "MALFORMED", "payload"],
    ["{}", 422, "MALFORMED", "payload"],
    ["[]", 422, "MALFORMED", "body"],
    ["null", 422, "MALFORMED", "body"],
    ['{"payload":"x","context":"y"}', 422, "MALFORMED", "context"],
    ['{"payload":"x","context":{"param":7}}', 422, "MALFORMED", "context.param"],
    ['{"payload":"x","context":{"kind":"nose"}}', 422, "MALFORMED", "context.kind"],
    ['{"__proto__":{"payload":"x"}}', 422, "MALFORMED", "payload"],
    ["{", 400, "MALFORMED_JSON", undefined],
    ["", 400, "MALFORMED_JSON", undefined],
    ['{"payload":"x"}x', 400, "MALFORMED_JSON", undefined],
    ["[".repeat(60_000), 400, "MALFORMED_JSON", undefined],
  ] as const)("createApi refuses the predict body %.40s", async (body, status, code, field) => {
    const { send, seen } = start()
    const answer = await send(`${BASE}/predict-payload`, { body })
    expectError(answer, field === undefined ? [status, code] : [status, code, field])
    expect(seen.classified).toEqual([])
  })

  test("createApi refuses bytes that are not UTF-8, and lets a byte order mark through", async () => {
    const { send } = start()
    const invalid = Buffer.from('{"payload":"\xff\xfe"}', "latin1")
    expectError(await send(`${BASE}/predict-payload`, { body: invalid }), [400, "INVALID_UTF8"])
    const marked = Buffer.from('\ufeff{"payload":"x"}', "utf8")
    expect((await send(`${BASE}/predict-payload`, { body: marked })).status).toBe(200)
  })

  test("createApi accepts 64 KiB and refuses one byte more, announced or streamed", async () => {
    const { send } = start()
    const frame = '{"payload":""}'.length
    const fits = JSON.stringify({ payload: "x".repeat(65_536 - frame) })
    expect((await send(`${BASE}/predict-payload`, { body: fits })).status).toBe(200)
    const larger = `${fits} `
    expectError(await send(`${BASE}/predict-payload`, { body: larger }), [413, "TOO_LARGE", "body"])
    const announced = { "content-length": "65537" }
    expectError(await send(`${BASE}/predict-payload`, { body: "{}", headers: announced }), [
      413,
      "TOO_LARGE",
      "body",
    ])
  })

  test("createApi stops reading an endless stream at the bound", async () => {
    const { send } = start()
    let chunks = 0
    const endless = new ReadableStream({
      pull(controller) {
        chunks++
        controller.enqueue(new Uint8Array(1_024).fill(0x20))
      },
    })
    const answer = await send(`${BASE}/predict-payload`, { body: endless })
    expectError(answer, [413, "TOO_LARGE", "body"])
    expect(chunks).toBeLessThan(80)
  })

  test.each([
    ["text/plain", 415],
    ["application/x-www-form-urlencoded", 415],
    ["application/json; charset=iso-8859-1", 415],
    ["application/jsonp", 415],
    ["", 415],
    [`application/json;${" ".repeat(5_000)}x`, 415],
    ["application/json; charset=utf-8", 200],
    ["Application/JSON", 200],
  ])("createApi answers the content type %.40s with %d", async (type, status) => {
    const { send } = start()
    const body = '{"payload":"x"}'
    const headers = { "content-type": type }
    expect((await send(`${BASE}/predict-payload`, { body, headers })).status).toBe(status)
  })

  test("createApi never answers benign for a classifier that fails", async () => {
    const { parts } = memoryParts()
    const lookup = () => {
      throw new Error("weights of /secret/path are gone")
    }
    const { post, seen } = start({ classifier: { ...parts.classifier, lookup } })
    const answer = await post(`${BASE}/predict-payload`, { payload: "x" })
    expectError(answer, [503, "UNAVAILABLE"])
    expect(answer.text).not.toContain("secret")
    expect(seen.logged.join("")).not.toContain("secret")
  })

  test("createApi answers any JSON value with 200 or a typed 422, never a 500", async () => {
    const { post } = start()
    const context = fc.dictionary(fc.string(), fc.jsonValue())
    const body = fc.oneof(fc.jsonValue(), fc.record({ payload: fc.jsonValue(), context }))
    await fc.assert(
      fc.asyncProperty(body, async (value) => {
        const answer = await post(`${BASE}/predict-payload`, value)
        expect([200, 422]).toContain(answer.status)
      }),
    )
  })
})
