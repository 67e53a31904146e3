import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { createApi, createProbeApi } from "../../src/api/app.ts"
import type { ApiParts } from "../../src/api/parts.ts"
import * as schemas from "../../src/api/schemas.ts"
import { memoryParts, memoryStore, profile, storedVerdict } from "../support/api-parts.ts"

const BASE = "/api/v1/sentinel"

interface Sent {
  readonly method?: string
  readonly body?: string | Uint8Array | ReadableStream
  readonly headers?: Record<string, string>
}

function start(changed: Partial<ApiParts> = {}) {
  const { parts, seen } = memoryParts(changed)
  const api = createApi(parts)
  async function send(path: string, sent: Sent = {}) {
    const method = sent.method ?? (sent.body === undefined ? "GET" : "POST")
    const response = await api.handle(
      new Request(`http://127.0.0.1:8003${path}`, {
        method,
        headers: { ...(sent.body !== undefined && JSON_TYPE), ...sent.headers },
        ...(sent.body !== undefined && { body: sent.body as BodyInit }),
      }),
    )
    const text = await response.text()
    const json = text.startsWith("{") ? JSON.parse(text) : undefined
    return { status: response.status, headers: response.headers, text, json }
  }
  const post = (path: string, value: unknown, headers: Record<string, string> = {}) =>
    send(path, { body: JSON.stringify(value), headers })
  return { send, post, seen, parts }
}

const JSON_TYPE = { "content-type": "application/json" }

/** What every error must be: our shape, the id of the response, and nothing of the input. */
function expectError(
  answer: { status: number; json: unknown; headers: Headers },
  [status, code, field]: readonly [number, string, string?],
): void {
  const id = answer.headers.get("x-request-id")
  const error = { code, message: expect.any(String), ...(field !== undefined && { field }) }
  expect({ status: answer.status, json: answer.json }).toEqual({
    status,
    json: { error, request_id: id },
  })
  expect(id).toMatch(/^[0-9a-f-]{36}$/)
}

describe("POST predict-payload", () => {
  test("createApi answers class, confidence, probabilities, method, model and cached", async () => {
    const { post } = start()
    const first = await post(`${BASE}/predict-payload`, { payload: "1' OR '1'='1" })
    expect(first.status).toBe(200)
    expect(first.json).toEqual({
      class: "sql_injection",
      confidence: 0.9,
      probabilities: { sql_injection: 0.9, benign: 0.1 },
      method: "ml",
      model: "payload-test/1",
      cached: false,
    })
    const second = await post(`${BASE}/predict-payload`, { payload: "1' OR '1'='1" })
    expect(second.json.cached).toBe(true)
  })

  test("createApi adds the second opinion of the signatures and whether it agrees", async () => {
    const { post } = start({ signatures: () => ({ class: "xss", matched: ["script_tag"] }) })
    const answer = await post(`${BASE}/predict-payload`, { payload: "<script>" })
    expect(answer.json.signatures).toEqual({ class: "xss", agrees: false, matched: ["script_tag"] })
    expect(answer.json.class).toBe("benign")
  })

  test.each([
    [{ param: "q" }, "param"],
    [{ content_type: "text/plain" }, "body"],
    [{ path: "/a/../../etc" }, "path"],
    [{ path: "/login" }, undefined],
    [{ kind: "cookie", param: "q" }, "cookie"],
    [{ param: null, method: "GET", session_id: "s", unknown: [1] }, undefined],
  ])(
    "createApi tells the classifier the kind of text from the context %j",
    async (context, kind) => {
      const { post, seen } = start()
      const sent = { payload: "../../etc", context }
      expect((await post(`${BASE}/predict-payload`, sent)).status).toBe(200)
      const text = "../../etc"
      expect(seen.classified).toEqual([kind === undefined ? { text } : { text, kind }])
    },
  )

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

  test("createApi never answers benign for a model that fails, and opens the breaker", async () => {
    let calls = 0
    const { parts } = memoryParts()
    const lookup = () => {
      calls++
      throw new Error("weights of /secret/path are gone")
    }
    const { post, send, seen } = start({ classifier: { ...parts.classifier, lookup } })
    for (let call = 0; call < 30; call++) {
      const answer = await post(`${BASE}/predict-payload`, { payload: "x" })
      expectError(answer, [503, "UNAVAILABLE"])
      expect(answer.text).not.toContain("secret")
    }
    expect(calls).toBe(10)
    const health = await send(`${BASE}/model-server/health`)
    expect(health.json).toMatchObject({
      status: "degraded",
      circuit_breaker: { open: true, recent_error_rate: 1 },
    })
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

describe("GET verdicts and profiles", () => {
  const stored = [
    storedVerdict("e1", "s1", 1_000),
    storedVerdict("e2", "s2", 2_000),
    storedVerdict("e3", "s1", Date.UTC(2026, 0, 1)),
  ]
  const events = (json: { verdicts: { event_id: string }[] }) =>
    json.verdicts.map(({ event_id }) => event_id)

  test("createApi filters verdicts by session and time and pages through them", async () => {
    const { send } = start({ verdicts: memoryStore(stored) })
    const all = await send(`${BASE}/verdicts`)
    expect([events(all.json), all.json.count, all.json.cursor]).toEqual([
      ["e1", "e2", "e3"],
      3,
      null,
    ])
    expect(events((await send(`${BASE}/verdicts?session_id=s1`)).json)).toEqual(["e1", "e3"])
    expect(events((await send(`${BASE}/verdicts?since=2000`)).json)).toEqual(["e2", "e3"])
    for (const since of ["2026-01-01", "2026-01-01T00:00:00", "2026-01-01T01:00:00%2B01:00"]) {
      expect(events((await send(`${BASE}/verdicts?since=${since}`)).json)).toEqual(["e3"])
    }
    const first = (await send(`${BASE}/verdicts?limit=2`)).json
    expect([events(first), first.count]).toEqual([["e1", "e2"], 2])
    const second = (await send(`${BASE}/verdicts?limit=2&cursor=${first.cursor}`)).json
    expect([events(second), second.cursor]).toEqual([["e3"], null])
  })

  test.each([
    ["limit=0", "limit"],
    ["limit=1001", "limit"],
    ["limit=1.5", "limit"],
    ["limit=x", "limit"],
    ["since=yesterday", "since"],
    ["since=2026-13-45", "since"],
    ["cursor=nonsense", "cursor"],
    [`session_id=${"x".repeat(2_000)}`, "session_id"],
  ])("createApi refuses the query %.30s", async (query, field) => {
    const { send } = start({ verdicts: memoryStore(stored) })
    expectError(await send(`${BASE}/verdicts?${query}`), [422, "MALFORMED", field])
  })

  test("createApi answers one verdict with its explanation, and 404 for an unknown one", async () => {
    const { send } = start({ verdicts: memoryStore(stored) })
    const answer = await send(`${BASE}/verdicts/e2`)
    expect(answer.json.verdict.event_id).toBe("e2")
    expect(answer.json.explanation.session_id).toBe("s2")
    expectError(await send(`${BASE}/verdicts/e9`), [404, "NOT_FOUND"])
  })

  test("createApi lists profiles with their count", async () => {
    const { send } = start({ verdicts: memoryStore(stored) })
    const { json } = await send(`${BASE}/profiles?session_id=s2`)
    expect(json).toMatchObject({ count: 1, profiles: [{ session_id: "s2", profile }] })
  })

  test("createApi answers 503 where the process keeps no verdicts", async () => {
    const { send } = start({ verdicts: undefined })
    expectError(await send(`${BASE}/verdicts`), [503, "UNAVAILABLE"])
    expect((await send(`${BASE}/stats`)).json.verdicts_stored).toBeNull()
  })
})

describe("status", () => {
  test("createApi answers models, stats and model-server/health in the shapes of the contract", async () => {
    const { send } = start()
    expect((await send(`${BASE}/models`)).json.models).toEqual([
      {
        model_id: "payload-test/1",
        model_type: "linear",
        trained_at: "2026-01-01T00:00:00Z",
        training_samples: 100,
        validation_samples: 20,
        metrics: { precision: 0.9, recall: 0.8, f1: 0.85, fpr: 0.01 },
        can_promote: false,
        promotion_reason: "already active",
        status: "active",
        canary_percent: 100,
      },
    ])
    expect((await send(`${BASE}/stats`)).json).toEqual({
      verdicts: { simulate: 1, tag: 2, benign: 3 },
      verdicts_stored: 0,
      dead_letters: 4,
      uptime_seconds: 0,
      engine: { in_flight: 5 },
      models: ["payload-test/1"],
      version: "1.2.3",
    })
    expect((await send(`${BASE}/model-server/health`)).json).toEqual({
      status: "healthy",
      model: "payload-test/1",
      circuit_breaker: { open: false, recent_error_rate: 0 },
      cache: { size: 0, max_size: 10, hits: 1, misses: 2 },
      canary_percent: 0,
    })
  })

  test("createApi tells live from ready", async () => {
    const reasons = ["Kafka is unavailable"]
    const { send } = start({ ready: () => ({ ready: false, reasons }) })
    expect((await send("/health")).json).toMatchObject({ status: "healthy", version: "1.2.3" })
    const ready = await send("/ready")
    expect([ready.status, ready.json]).toEqual([503, { status: "not_ready", reasons }])
    expect((await start().send("/ready")).json).toEqual({ status: "ready", reasons: [] })
  })

  test("createApi counts requests and responses by route template, never by path", async () => {
    const { send } = start({ ready: () => ({ ready: false, reasons: [] }) })
    await send(`${BASE}/verdicts/secret-id`)
    await send("/somewhere/secret-id")
    expect((await send("/ready")).status).toBe(503)
    const { text, headers } = await send("/metrics")
    expect(headers.get("content-type")).toContain("text/plain")
    expect(text).toContain('cerberus_requests_total{service="sentinel"} 4')
    const route = `${BASE}/verdicts/:event_id`
    expect(text).toContain(`cerberus_http_responses_total{route="${route}",status="404"} 1`)
    expect(text).toContain('cerberus_http_responses_total{route="unmatched",status="404"} 1')
    expect(text).toContain('cerberus_http_responses_total{route="/ready",status="503"} 1')
    expect(text).not.toContain("secret-id")
  })

  test("createApi documents every endpoint without loading anything from elsewhere", async () => {
    const { send } = start()
    const { json } = await send("/openapi.json")
    expect(json.openapi).toMatch(/^3\./)
    expect(Object.keys(json.paths).sort()).toEqual(
      [
        ...["analyze", "evidence", "explain", "model-server/health", "models", "predict-payload"],
        ...["profile", "profiles", "stats", "verdicts", "verdicts/{event_id}"],
      ]
        .map((name) => `${BASE}/${name}`)
        .concat("/health", "/ready", "/metrics")
        .sort(),
    )
    const predict = json.paths[`${BASE}/predict-payload`].post
    const schema = predict.requestBody.content["application/json"].schema
    expect(schema.required).toEqual(["payload"])
    expect(json.paths[`${BASE}/evidence`].post.security).toEqual([{ token: [] }])
    expect((await send("/openapi")).status).toBe(404)
  })

  test("createApi answers in the shapes that its document promises", async () => {
    const { send, post } = start({ verdicts: memoryStore([storedVerdict("e1", "s1", 1)]) })
    const answers = [
      [schemas.predictAnswer, await post(`${BASE}/predict-payload`, { payload: "x" })],
      [schemas.analyzeAnswer, await post(`${BASE}/analyze`, { evidence: { session_id: "s" } })],
      [schemas.explanationAnswer, await post(`${BASE}/explain`, { features: {}, verdict: "tag" })],
      [schemas.profileAnswer, await post(`${BASE}/profile`, { session_id: "s", captures: [] })],
      [schemas.evidenceAnswer, await post(`${BASE}/evidence`, { evidence: {} })],
      [schemas.verdictsAnswer, await send(`${BASE}/verdicts`)],
      [schemas.profilesAnswer, await send(`${BASE}/profiles`)],
      [schemas.modelsAnswer, await send(`${BASE}/models`)],
      [schemas.statsAnswer, await send(`${BASE}/stats`)],
      [schemas.modelHealthAnswer, await send(`${BASE}/model-server/health`)],
      [schemas.healthAnswer, await send("/health")],
      [schemas.readyAnswer, await send("/ready")],
      [schemas.errorAnswer, await send("/nothing")],
    ] as const
    for (const [schema, { json }] of answers)
      expect(schemas.createReader(schema)(json)).toEqual(json)
  })

  test("createProbeApi serves the probes and nothing else", async () => {
    const api = createProbeApi(memoryParts().parts)
    const status = async (path: string) =>
      (await api.handle(new Request(`http://127.0.0.1:8004${path}`))).status
    expect(await Promise.all(["/health", "/ready", "/metrics"].map(status))).toEqual([
      200, 200, 200,
    ])
    expect(await status(`${BASE}/stats`)).toBe(404)
  })
})

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
