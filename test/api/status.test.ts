import { describe, expect, test } from "bun:test"
import { createProbeApi } from "../../src/api/app.ts"
import * as modelSchemas from "../../src/api/model-schemas.ts"
import * as schemas from "../../src/api/schemas.ts"
import { expectError, start } from "../support/api-client.ts"
import { memoryParts, memoryStore, profile, storedVerdict } from "../support/api-parts.ts"

const BASE = "/api/v1/sentinel"

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
        promotion_reason: "it is live already",
        status: "live",
        canary_percent: 100,
        origin: "shipped",
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
      circuit_breaker: { open: false, state: "closed", recent_error_rate: 0 },
      cache: { size: 0, max_size: 10, hits: 1, misses: 2 },
      canary_percent: 0,
      models: [
        {
          model_id: "payload-test/1",
          circuit_breaker: "closed",
          recent_error_rate: 0,
          degraded: 0,
        },
      ],
      trial: null,
      skipped_comparisons: 0,
      second_tier: null,
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
        ...["analyze", "dataset/add-false-positive", "evidence", "explain", "model-server/health"],
        ...["dead-letters", "dead-letters/redrive", "dead-letters/{id}", "topology"],
        ...["", "/promote", "/rollback", "/{model_id}", "/{model_id}/{version}"].map(
          (end) => `models${end}`,
        ),
        ...["predict-payload", "predict-payload/batch", "profile", "profiles", "stats"],
        ...["rule-apply", "rule-propose", "rules", "rules-reconcile", "rules-withdraw"],
        ...["", "/approve", "/expire", "/reject"].map((end) => `rules/{rule_id}${end}`),
        ...["", "/audit-log", "/panic", "/resume"].map((end) => `sandbox${end}`),
        ...["sim-result/{job_id}", "simulate", "simulations", "verdicts", "verdicts/{event_id}"],
      ]
        .map((name) => `${BASE}/${name}`)
        .concat("/health", "/ready", "/metrics", "/v2", "/v2/models")
        .concat("/v2/health/live", "/v2/health/ready")
        .concat(["", "/ready", "/infer"].map((end) => `/v2/models/{model}${end}`))
        .concat(
          ["", "/ready", "/infer"].map((end) => `/v2/models/{model}/versions/{version}${end}`),
        )
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
      [modelSchemas.modelsAnswer, await send(`${BASE}/models`)],
      [schemas.statsAnswer, await send(`${BASE}/stats`)],
      [modelSchemas.modelHealthAnswer, await send(`${BASE}/model-server/health`)],
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
