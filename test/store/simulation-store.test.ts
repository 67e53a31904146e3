import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { SimulationStore } from "../../src/ports/simulation-store.ts"
import type { SimulationJob, SimulationVerdict } from "../../src/simulation-result.ts"
import type { RetentionOptions } from "../../src/store/retention.ts"
import { openSimulationStore } from "../../src/store/simulation-store.ts"

let directory: string
let nowMs: number
const stores: SimulationStore[] = []

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "simulation-store-"))
  nowMs = 1_000
})

afterEach(async () => {
  for (const store of stores.splice(0)) await store.close()
  await rm(directory, { recursive: true, force: true })
})

function open(options: RetentionOptions = {}) {
  const store = openSimulationStore(directory, { clock: { nowMs: () => nowMs++ }, ...options })
  stores.push(store)
  return store
}

function job(id: string, changed: Partial<SimulationJob> = {}): SimulationJob {
  return {
    simulation_id: id,
    session_id: "session-1",
    status: "queued",
    payload: { type: "xss", value: "<b>" },
    queued_at: "2026-01-01T00:00:00.000Z",
    ...changed,
  }
}

function completed(id: string, verdict: SimulationVerdict, evidence = ["seen"]): SimulationJob {
  const result = { verdict, evidence } as unknown as NonNullable<SimulationJob["result"]>
  return job(id, { status: "completed", result })
}

const ids = (items: readonly SimulationJob[]) => items.map((item) => item.simulation_id)

describe("openSimulationStore", () => {
  test("openSimulationStore keeps a job's first time and first result, across lives", async () => {
    const first = open()
    await first.put([job("a")])
    await first.put([job("a", { status: "running", queued_at: "2026-02-02T00:00:00.000Z" })])
    expect(first.byId("a")).toMatchObject({
      status: "running",
      queued_at: "2026-01-01T00:00:00.000Z",
    })
    await first.put([completed("a", "exploit_possible")])
    await first.put([job("a"), completed("a", "exploit_improbable", ["later"])])
    await first.close()
    expect(open().byId("a")).toMatchObject({
      status: "completed",
      result: { verdict: "exploit_possible", evidence: ["seen"] },
    })
  })

  test("openSimulationStore pages newest first, by event and by verdict", async () => {
    const store = open()
    for (const id of ["a", "b", "c", "d"]) {
      await store.put([job(id, { event_id: id < "c" ? "event-1" : "event-2" })])
    }
    const page = store.query({ limit: 3 })
    expect(ids(page.items)).toEqual(["d", "c", "b"])
    const rest = store.query({
      limit: 3,
      ...(page.cursor !== undefined && { cursor: page.cursor }),
    })
    expect(ids(rest.items)).toEqual(["a"])
    expect(rest.cursor).toBeUndefined()
    expect(ids(store.query({ limit: 9, eventId: "event-1" }).items)).toEqual(["b", "a"])
    await store.put([completed("b", "inconclusive")])
    expect(ids(store.query({ limit: 1, verdict: "inconclusive" }).items)).toEqual(["b"])
    expect(store.query({ limit: 1, verdict: "exploit_possible" }).items).toEqual([])
    expect(() => store.query({ limit: 0 })).toThrow(/limit/)
    expect(() => store.query({ limit: 1, cursor: "x" })).toThrow(/cursor/)
  })

  test("openSimulationStore forgets simulations after the retention time", async () => {
    const store = open({ retentionDays: 1 })
    await store.put([job("a")])
    await store.close()
    nowMs += 2 * 86_400_000
    const later = open({ retentionDays: 1 })
    await later.close()
    const last = open()
    expect(last.byId("a")).toBeUndefined()
    expect(last.count()).toBe(0)
    expect(last.query({ limit: 10, eventId: "a" }).items).toEqual([])
  })
})
