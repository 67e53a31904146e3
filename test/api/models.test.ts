import { describe, expect, test } from "bun:test"
import type { FalsePositive } from "../../src/api/parts.ts"
import { UnavailableError } from "../../src/errors.ts"
import { expectError, start } from "../support/api-client.ts"
import { memoryParts } from "../support/api-parts.ts"

const BASE = "/api/v1/sentinel"
const TOKEN = { authorization: "Bearer open" }
const { models } = memoryParts().parts.operating

/** An API whose model operations are recorded. */
function recorded(changed: Partial<NonNullable<typeof models>> = {}, apiToken?: string) {
  const asked: unknown[] = []
  if (models === undefined) throw new Error("the parts in memory have models")
  const operations: typeof models = {
    ...models,
    promote: (request) => {
      asked.push(request)
      return models.promote(request)
    },
    rollback: (reason) => {
      asked.push(reason)
      return models.rollback(reason)
    },
    ...changed,
  }
  const operating = { deadLetters: undefined, topology: undefined, models: operations }
  return { asked, ...start({ operating, apiToken }) }
}

describe("models", () => {
  test("createApi answers a promotion as the contract says", async () => {
    const { post, asked } = recorded()
    const body = { model_id: "payload-test/1", canary_percent: 100 }
    const { status, json } = await post(`${BASE}/models/promote`, body)
    expect([status, json]).toEqual([
      200,
      {
        ...{ status: "success", model_id: "payload-test/1", state: "live" },
        ...{ canary_percent: 100, promoted_at: "2026" },
      },
    ])
    const reason = "asked for by an operator"
    expect(asked).toEqual([{ modelId: "payload-test/1", percent: 100, auto: false, reason }])
  })

  test("createApi shows beside a promotion what speaks against it, and promotes all the same", async () => {
    const set = { set: "generated", rows: 5_000, attacks: 2_500 }
    const comparison = {
      ...{ modelId: "m/2", live: "m/1", judgedOn: set, liveJudgedOn: null },
      figures: [{ figure: "recall", model: 0.9, live: 0.95 }],
      warnings: ["recall is 0.9, that of the live model 0.95"],
    }
    const { post } = recorded({
      promote: async () => ({
        modelId: "m/2",
        state: "live",
        percent: 100,
        at: "2026",
        comparison,
      }),
    })
    const body = { model_id: "m/2", canary_percent: 100 }
    const { status, json } = await post(`${BASE}/models/promote`, body)
    expect([status, json.state, json.compared_with_live]).toEqual([
      200,
      "live",
      {
        live: "m/1",
        figures: { recall: { model: 0.9, live: 0.95 } },
        judged_on: { model: set, live: null },
        warnings: ["recall is 0.9, that of the live model 0.95"],
      },
    ])
  })

  test("createApi answers 409 with the reasons where a gate is not met, 404 for an unknown model", async () => {
    const { post, send } = recorded()
    const refused = await post(`${BASE}/models/promote`, { model_id: "m/1", canary_percent: 10 })
    expectError(refused, [409, "MODEL_NOT_PROMOTABLE", "model_id"])
    expect(refused.json.error.message).toBe("recall is 0.5, at least 0.8 is required")
    for (const path of ["nothing/1", "nothing%2F1", "nothing", "..%2f..%2fetc"]) {
      expectError(await send(`${BASE}/models/${path}`), [404, "MODEL_UNKNOWN", "model_id"])
    }
  })

  test.each([
    ["model_id", { canary_percent: 10 }],
    ["model_id", { model_id: 7, canary_percent: 10 }],
    ["canary_percent", { model_id: "m/1" }],
    ["canary_percent", { model_id: "m/1", canary_percent: 101 }],
    ["canary_percent", { model_id: "m/1", canary_percent: -1 }],
    ["reason", { model_id: "m/1", canary_percent: 1, reason: "x".repeat(300) }],
  ])("createApi refuses a promotion for its %s", async (field, body) => {
    const { post, asked } = recorded()
    expectError(await post(`${BASE}/models/promote`, body), [422, "MALFORMED", field])
    expect(asked).toEqual([])
  })

  test("createApi shows a model by its id, with the slash as it is or encoded", async () => {
    const { send } = recorded()
    for (const path of ["payload-test/1", "payload-test%2F1"]) {
      const { json } = await send(`${BASE}/models/${path}`)
      expect(json).toMatchObject({ model_id: "payload-test/1", card: "# card", traffic: null })
    }
  })

  test("createApi rolls back with a reason, or without any body", async () => {
    const { post, send, asked } = recorded()
    const { json } = await post(`${BASE}/models/rollback`, { reason: "too many false alarms" })
    expect(json).toMatchObject({ status: "success", rolled_back_at: "2026" })
    expect((await send(`${BASE}/models/rollback`, { method: "POST" })).status).toBe(200)
    expect(asked).toEqual(["too many false alarms", "asked for by an operator"])
  })

  test("createApi lets nobody change models or read what clients sent without the token", async () => {
    const { post, send, asked } = recorded({}, "open")
    const body = { model_id: "payload-test/1", canary_percent: 100 }
    expectError(await post(`${BASE}/models/promote`, body), [401, "UNAUTHORIZED"])
    expectError(await post(`${BASE}/models/rollback`, {}), [401, "UNAUTHORIZED"])
    expectError(await send(`${BASE}/models/payload-test/1`), [401, "UNAUTHORIZED"])
    expect(asked).toEqual([])
    expect((await post(`${BASE}/models/promote`, body, TOKEN)).status).toBe(200)
    expect((await send(`${BASE}/models`)).status).toBe(200)
  })

  test("createApi says degraded while a breaker is open, and shows the trial", async () => {
    const { send } = recorded({
      health: () => ({
        plan: {
          ...{ revision: 3, live: "m/1", lastGood: undefined },
          trial: {
            ...{ modelId: "m/2", mode: "canary", percent: 10, referenceId: "m/1" },
            ...{ sinceMs: 0, auto: true },
          },
        },
        models: [
          { modelId: "m/1", breaker: "open", errorRate: 0.6, degraded: 12 },
          { modelId: "m/2", breaker: "closed", errorRate: 0, degraded: 0 },
        ],
        cache: { entries: 1, entriesMax: 2, hits: 3, misses: 4 },
        skippedComparisons: 5,
      }),
    })
    const { json } = await send(`${BASE}/model-server/health`)
    expect(json).toMatchObject({
      ...{ status: "degraded", model: "m/1", canary_percent: 10 },
      circuit_breaker: { open: true, state: "open", recent_error_rate: 0.6 },
      trial: { model_id: "m/2", mode: "canary", canary_percent: 10 },
    })
  })
})

describe("dataset/add-false-positive", () => {
  function reporting(report: (given: FalsePositive) => Promise<"new" | "same">) {
    const operating = { deadLetters: undefined, topology: undefined, falsePositives: { report } }
    return start({ operating })
  }

  test("createApi passes a report on, and tells a new one from a repeated one", async () => {
    const reports: FalsePositive[] = []
    const { post } = reporting(async (given) => (reports.push(given) === 1 ? "new" : "same"))
    const sample = { payload: "O'Brien", original_label: "sql_injection", session_id: "s" }
    const body = { sample, reviewer: "anna" }
    const first = await post(`${BASE}/dataset/add-false-positive`, body)
    expect(first.json).toEqual({ status: "success", message: "the report is kept" })
    const second = await post(`${BASE}/dataset/add-false-positive`, body)
    expect(second.json.message).toBe("it was reported before")
    expect(reports[0]).toEqual({
      ...{ payload: "O'Brien", originalLabel: "sql_injection", sessionId: "s" },
      ...{ notes: undefined, reviewer: "anna" },
    })
  })

  test("createApi refuses a report without a payload or reviewer, and says when it is not kept", async () => {
    const { post } = reporting(() => Promise.reject(new UnavailableError("the store")))
    const path = `${BASE}/dataset/add-false-positive`
    const refused = [
      [{ sample: { payload: "" }, reviewer: "anna" }, "sample.payload"],
      [{ sample: { payload: "x" } }, "reviewer"],
      [{ reviewer: "anna" }, "sample"],
    ] as const
    for (const [body, field] of refused) {
      expectError(await post(path, body), [422, "MALFORMED", field])
    }
    const sent = await post(path, { sample: { payload: "x" }, reviewer: "anna" })
    expectError(sent, [503, "UNAVAILABLE"])
  })
})
