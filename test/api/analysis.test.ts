import { describe, expect, test } from "bun:test"
import { expectError, start } from "../support/api-client.ts"
import { memoryParts, profile } from "../support/api-parts.ts"

const BASE = "/api/v1/sentinel"

describe("POST analyze", () => {
  const evidence =
    '{"session_id":"s","n":1.10,"big":12345678901234567890123,"e":1E5,"u":"\\u00e9" }'

  test("createApi hands the evidence to the analyzer byte for byte as written", async () => {
    const { send, seen } = start()
    const body = `{ "enrichment":{"tags":["poi"],"meta":{"is_tor":true}}, "evidence" : ${evidence} }`
    const answer = await send(`${BASE}/analyze`, { body })
    expect(answer.status).toBe(200)
    expect(Object.keys(answer.json)).toEqual(["verdict", "explanation"])
    expect(answer.json.verdict.session_id).toBe("s")
    expect(seen.analyzed).toEqual([
      { text: evidence, enrichment: { tags: ["poi"], meta: { is_tor: true } } },
    ])
    expect(seen.submitted).toEqual([])
  })

  test.each([
    ["{}", 422, "MALFORMED", "evidence"],
    ['{"evidence":"x"}', 422, "MALFORMED", "evidence"],
    ['{"evidence":null}', 422, "MALFORMED", "evidence"],
    ['{"evidence":{}}', 422, "MALFORMED", "session_id"],
    ['{"evidence":{},"enrichment":{"tags":"poi"}}', 422, "MALFORMED", "tags"],
    ['{"evidence":{},"enrichment":[]}', 422, "MALFORMED", "body"],
    ["[1]", 422, "MALFORMED", "body"],
    ['{"evidence":{"a":tru}}', 400, "MALFORMED_JSON", undefined],
    ['{"evidence":{"a":1}', 400, "MALFORMED_JSON", undefined],
    [`{"evidence":${'{"a":'.repeat(100_000)}`, 400, "MALFORMED_JSON", undefined],
  ] as const)("createApi refuses the analyze body %.40s", async (body, status, code, field) => {
    const { send } = start()
    const answer = await send(`${BASE}/analyze`, { body })
    expectError(answer, field === undefined ? [status, code] : [status, code, field])
  })

  test("createApi accepts 16 MiB of evidence and refuses more", async () => {
    const { send } = start()
    const around = '{"evidence":{"session_id":""}}'.length
    const body = (length: number) => `{"evidence":{"session_id":"${"x".repeat(length - around)}"}}`
    expect((await send(`${BASE}/analyze`, { body: body(16_777_216) })).status).toBe(200)
    expectError(await send(`${BASE}/analyze`, { body: body(16_777_217) }), [
      413,
      "TOO_LARGE",
      "body",
    ])
  })

  test("createApi admits eight large bodies at once and refuses the ninth", async () => {
    const { parts } = memoryParts()
    const gate = Promise.withResolvers<void>()
    const analyzer = {
      ...parts.analyzer,
      async analyze(...given: Parameters<typeof parts.analyzer.analyze>) {
        await gate.promise
        return parts.analyzer.analyze(...given)
      },
    }
    const { send } = start({ analyzer })
    const body = `{"evidence":${evidence}}`
    const inside = Array.from({ length: 8 }, () => send(`${BASE}/analyze`, { body }))
    const ninth = await send(`${BASE}/analyze`, { body })
    expectError(ninth, [503, "BUSY"])
    expect(ninth.headers.get("retry-after")).toBe("1")
    gate.resolve()
    expect((await Promise.all(inside)).map(({ status }) => status)).toEqual(Array(8).fill(200))
    expect((await send(`${BASE}/analyze`, { body })).status).toBe(200)
  })
})

describe("POST explain and profile", () => {
  test("createApi explains any subset of the features, for a word or a verdict", async () => {
    const { post, seen } = start()
    const word = await post(`${BASE}/explain`, { features: { n_requests: 3 }, verdict: "tag" })
    expect(word.json).toMatchObject({ verdict: "tag", base_value: 0.1, feature_importances: [{}] })
    const whole = { features: {}, verdict: { verdict: "benign", final_score: 0 } }
    expect((await post(`${BASE}/explain`, whole)).json.verdict).toBe("benign")
    expect(seen.explained.map((features) => ({ ...features }))).toEqual([{ n_requests: 3 }, {}])
  })

  test("createApi gives polluting feature names no way into a prototype", async () => {
    const { send, seen } = start()
    const body = '{"verdict":"tag","features":{"__proto__":1,"constructor":2,"toString":3}}'
    expect((await send(`${BASE}/explain`, { body })).status).toBe(200)
    expect(Object.getPrototypeOf(seen.explained[0])).toBeNull()
    expect(({} as Record<string, unknown>).toString).toBeFunction()
  })

  test.each([
    ['{"features":{"n_requests":"3"},"verdict":"tag"}', "features"],
    ['{"features":{"secret_name":1e999},"verdict":"tag"}', "features"],
    ['{"features":[],"verdict":"tag"}', "features"],
    ['{"features":{},"verdict":"maybe"}', "verdict"],
    ['{"features":{}}', "verdict"],
  ])("createApi refuses the explain body %s naming %s", async (body, field) => {
    const { send } = start()
    const answer = await send(`${BASE}/explain`, { body })
    expectError(answer, [422, "MALFORMED", field])
    expect(answer.text).not.toContain("secret_name")
  })

  test("createApi says what each alternative of a field would be, and nothing of the input", async () => {
    const { post } = start()
    const { json, text } = await post(`${BASE}/explain`, { features: {}, verdict: "maybe" })
    expect(json.error.message).toBe("verdict: expected 'simulate' or 'tag' or 'benign' or object")
    expect(text).not.toContain("maybe")
  })

  test("createApi refuses more than a thousand features", async () => {
    const { post } = start()
    const features = Object.fromEntries(Array.from({ length: 1_001 }, (_, at) => [`f${at}`, at]))
    expectError(await post(`${BASE}/explain`, { features, verdict: "tag" }), [
      422,
      "MALFORMED",
      "features",
    ])
  })

  test("createApi answers the profile of a session", async () => {
    const { post } = start()
    const answer = await post(`${BASE}/profile`, { session_id: "s", captures: [] })
    expect(answer.json).toEqual({ session_id: "s", profile })
    expectError(await post(`${BASE}/profile`, { captures: [] }), [422, "MALFORMED", "session_id"])
    expectError(await post(`${BASE}/profile`, { session_id: "s" }), [422, "MALFORMED", "captures"])
  })
})

describe("POST evidence", () => {
  test("createApi queues the evidence as written and answers 202 with the event id", async () => {
    const { send, seen } = start()
    const answer = await send(`${BASE}/evidence`, { body: '{"evidence":{"n":1.10}}' })
    expect(answer.status).toBe(202)
    expect(answer.json).toEqual({ status: "accepted", event_id: "event-1" })
    expect(Buffer.from(seen.submitted[0]?.bytes ?? []).toString()).toBe('{"n":1.10}')
  })

  test("createApi takes a bare document and an archive as they are", async () => {
    const { send, seen } = start()
    const document = '{"session_id":"s","har":{}}'
    expect((await send(`${BASE}/evidence`, { body: document })).status).toBe(202)
    const archive = new Uint8Array([0x1f, 0x8b, 0xff])
    const headers = { "content-type": "application/gzip" }
    expect((await send(`${BASE}/evidence`, { body: archive, headers })).status).toBe(202)
    expect(seen.submitted.map(({ bytes }) => Buffer.from(bytes).toString("latin1"))).toEqual([
      document,
      "\x1f\x8b\xff",
    ])
  })

  test("createApi needs the token for evidence when one is set, and for nothing that only reads", async () => {
    const { post, send, seen } = start({ apiToken: "correct horse".replace(" ", "-") })
    const evidence = { evidence: { session_id: "s" } }
    for (const authorization of [
      "",
      "Bearer",
      "Bearer wrong",
      "Basic correct-horse",
      "Bearer correct-horsex",
    ]) {
      const answer = await post(`${BASE}/evidence`, evidence, { authorization })
      expectError(answer, [401, "UNAUTHORIZED"])
      expect(answer.headers.get("www-authenticate")).toBe("Bearer")
    }
    expect(seen.submitted).toEqual([])
    const authorization = "Bearer correct-horse"
    expect((await post(`${BASE}/evidence`, evidence, { authorization })).status).toBe(202)
    expect((await send(`${BASE}/models`)).status).toBe(200)
  })

  test("createApi answers 503 where the process takes no evidence", async () => {
    const { post } = start({ submitEvidence: undefined })
    expectError(await post(`${BASE}/evidence`, { evidence: {} }), [503, "UNAVAILABLE"])
  })
})
