import { describe, expect, test } from "bun:test"
import type { SandboxOperations, SimulationRequest, Simulations } from "../../src/api/parts.ts"
import { createReader } from "../../src/api/schemas.ts"
import {
  auditLogAnswer,
  sandboxAnswer,
  simulationAnswer,
  simulationsAnswer,
} from "../../src/api/simulation-schemas.ts"
import { SandboxPanickedError, SandboxUnavailableError } from "../../src/errors.ts"
import type { SimulationQuery } from "../../src/ports/simulation-store.ts"
import type { SimulationJob } from "../../src/simulation-result.ts"
import { expectError, start } from "../support/api-client.ts"
import { DESCRIPTION, fakeSandbox } from "../support/fake-sandbox.ts"

const BASE = "/api/v1/sentinel"
const TOKEN = "t0ken-of-the-test"
const AUTHORIZED = { headers: { authorization: `Bearer ${TOKEN}` } }

const job: SimulationJob = {
  ...{ simulation_id: "sim-1", session_id: "s", event_id: "e", status: "running" },
  payload: { type: "xss", value: "<b>", location: "query:q" },
  ...{ queued_at: "2026-01-01T00:00:00.000Z", started_at: "2026-01-01T00:00:01.000Z" },
}

function simulations(changed: Partial<Simulations> = {}) {
  const submitted: SimulationRequest[] = []
  const queries: SimulationQuery[] = []
  const parts: Simulations = {
    async submit(request) {
      submitted.push(request)
      return { ...job, status: "queued" }
    },
    byId: (id) => (id === "sim-1" ? job : undefined),
    query(query) {
      queries.push(query)
      return { items: [job], cursor: "next" }
    },
    ...changed,
  }
  const operating = { deadLetters: undefined, topology: undefined, simulations: parts }
  return { operating, submitted, queries }
}

const entry = {
  ...{ sequence: 1, timestamp: "2026-01-01T00:00:00.000Z", event_type: "run", data: {} },
  ...{ previous: "0".repeat(64), hash: "1".repeat(64) },
}

function sandbox(changed: Partial<SandboxOperations> = {}) {
  const limits: number[] = []
  const parts: SandboxOperations = {
    ...fakeSandbox(() => ({})),
    async auditTail(limit) {
      limits.push(limit)
      return [entry]
    },
    auditHead: () => ({ count: 1, hash: entry.hash }),
    ...changed,
  }
  return { operating: { deadLetters: undefined, topology: undefined, sandbox: parts }, limits }
}

describe("simulations", () => {
  test("POST simulate queues a payload and answers with its job", async () => {
    const { operating, submitted } = simulations()
    const { post } = start({ operating })
    const payload = { type: "xss", value: "<script>", location: "query:q" }
    const answer = await post(`${BASE}/simulate`, { payload, metadata: { session_id: "s-1" } })
    expect(answer).toMatchObject({ status: 202, json: { job_id: "sim-1", status: "queued" } })
    expect(submitted).toEqual([{ ...payload, sessionId: "s-1" } as SimulationRequest])
    await post(`${BASE}/simulate`, { payload: { type: "xss", value: "x" }, metadata: null })
    expect(submitted[1]).toMatchObject({ location: "", sessionId: "unknown" })
  })

  test("POST simulate names the field that is wrong, and takes 16 KiB however they are escaped", async () => {
    const { operating, submitted } = simulations()
    const { post, send } = start({ operating })
    const path = `${BASE}/simulate`
    const refused = [
      [{ payload: { type: "benign", value: "x" } }, "payload.type"],
      [{ payload: { type: "xss" } }, "payload.value"],
      [{ payload: { type: "xss", value: "" } }, "payload.value"],
      [
        { payload: { type: "xss", value: "x" }, metadata: { session_id: 1 } },
        "metadata.session_id",
      ],
    ] as const
    for (const [body, field] of refused) {
      expectError(await post(path, body), [422, "MALFORMED", field])
    }
    const wide = { type: "xss", value: "é".repeat(8_193) }
    expectError(await post(path, { payload: wide }), [413, "TOO_LARGE", "payload.value"])
    const escaped = "\\u0001".repeat(16_384)
    const body = `{"payload": {"type": "xss", "value": "${escaped}"}}`
    expect((await send(path, { body })).status).toBe(202)
    expect(submitted).toHaveLength(1)
  })

  test("POST simulate says in words why nothing can be tried", async () => {
    const reasons = [
      [new SandboxUnavailableError("docker: no such file"), "SANDBOX_UNAVAILABLE"],
      [new SandboxPanickedError(), "SANDBOX_PANICKED"],
    ] as const
    for (const [reason, code] of reasons) {
      const { operating } = simulations({ submit: () => Promise.reject(reason) })
      const answer = await start({ operating }).post(`${BASE}/simulate`, { payload: job.payload })
      expectError(answer, [503, code])
      expect(answer.json.error.message).toBe(reason.message)
    }
    expectError(await start().post(`${BASE}/simulate`, {}), [503, "UNAVAILABLE"])
  })

  test("GET sim-result and simulations answer as the contract says, to who has the token", async () => {
    const { operating, queries } = simulations()
    const { send } = start({ operating, apiToken: TOKEN })
    expectError(await send(`${BASE}/sim-result/sim-1`), [401, "UNAUTHORIZED"])
    expectError(await send(`${BASE}/simulations`), [401, "UNAUTHORIZED"])
    const { json } = await send(`${BASE}/sim-result/sim-1`, AUTHORIZED)
    expect(json).toEqual({ job_id: "sim-1", ...job, simulation_id: undefined })
    expect(createReader(simulationAnswer)(json)).toEqual(json)
    expectError(await send(`${BASE}/sim-result/other`, AUTHORIZED), [404, "NOT_FOUND"])
    const filters = "event_id=e&verdict=exploit_possible&since=1000&limit=3"
    const page = await send(`${BASE}/simulations?${filters}`, AUTHORIZED)
    expect(page.json).toMatchObject({ count: 1, cursor: "next" })
    expect(createReader(simulationsAnswer)(page.json)).toEqual(page.json)
    expect(queries).toEqual([
      { eventId: "e", verdict: "exploit_possible", sinceMs: 1_000, limit: 3 },
    ])
    const bad = await send(`${BASE}/simulations?verdict=maybe`, AUTHORIZED)
    expectError(bad, [422, "MALFORMED", "verdict"])
  })
})

describe("sandbox", () => {
  test("POST sandbox/panic needs the token and no body, and resume opens again", async () => {
    const { operating } = sandbox()
    const { send, post } = start({ operating, apiToken: TOKEN })
    expectError(await send(`${BASE}/sandbox/panic`, { method: "POST" }), [401, "UNAUTHORIZED"])
    const answer = await send(`${BASE}/sandbox/panic`, { method: "POST", ...AUTHORIZED })
    expect(answer).toMatchObject({ status: 200, json: { status: "panicked", destroyed: 1 } })
    expect(answer.json.timestamp).toBe("1970-01-01T00:00:01.000Z")
    const status = await send(`${BASE}/sandbox`, AUTHORIZED)
    expect(status.json.panicked).toBe(true)
    expectError(await send(`${BASE}/sandbox/resume`, { method: "POST" }), [401, "UNAUTHORIZED"])
    await post(`${BASE}/sandbox/resume`, {}, AUTHORIZED.headers)
    expect((await send(`${BASE}/sandbox`, AUTHORIZED)).json.panicked).toBe(false)
  })

  test("POST sandbox/panic says exactly what is left, and passes the reason on", async () => {
    const reasons: string[] = []
    const { operating } = sandbox({
      async panic(reason) {
        reasons.push(reason)
        return { isClean: false, destroyed: 3, left: ["container 0123456789ab is still running"] }
      },
    })
    const { post } = start({ operating })
    const { json } = await post(`${BASE}/sandbox/panic`, { reason: "it looks odd" })
    expect(json).toMatchObject({
      ...{ status: "incomplete", destroyed: 3 },
      left: ["container 0123456789ab is still running"],
    })
    expect(reasons).toEqual(["it looks odd"])
    const long = await post(`${BASE}/sandbox/panic`, { reason: "x".repeat(201) })
    expectError(long, [422, "MALFORMED", "reason"])
  })

  test("GET sandbox tells driver, limits and pool; the audit log its newest entries and its head", async () => {
    const { operating, limits } = sandbox()
    const { send } = start({ operating, apiToken: TOKEN })
    const { json } = await send(`${BASE}/sandbox`)
    expect(createReader(sandboxAnswer)(json)).toEqual(json)
    expect(json).toMatchObject({ driver: "docker", image_digest: DESCRIPTION.imageDigest })
    expectError(await send(`${BASE}/sandbox/audit-log`), [401, "UNAUTHORIZED"])
    const log = await send(`${BASE}/sandbox/audit-log?limit=7`, AUTHORIZED)
    expect(log.json).toEqual({ entries: [entry], count: 1, head: { count: 1, hash: entry.hash } })
    expect(createReader(auditLogAnswer)(log.json)).toEqual(log.json)
    await send(`${BASE}/sandbox/audit-log`, AUTHORIZED)
    expect(limits).toEqual([7, 100])
    for (const limit of ["0", "1001", "x"]) {
      const answer = await send(`${BASE}/sandbox/audit-log?limit=${limit}`, AUTHORIZED)
      expectError(answer, [422, "MALFORMED", "limit"])
    }
  })

  test("an API without a sandbox answers 503 with the reason", async () => {
    const { send } = start()
    for (const path of ["sandbox", "sandbox/audit-log", "simulations", "sim-result/x"]) {
      expectError(await send(`${BASE}/${path}`), [503, "UNAVAILABLE"])
    }
  })
})
