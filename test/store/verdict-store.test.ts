import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { mkdtemp, rm, stat } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { EventIdConflictError, MalformedError } from "../../src/errors.ts"
import type { RetentionOptions } from "../../src/store/retention.ts"
import { type LmdbVerdictStore, openVerdictStore } from "../../src/store/verdict-store.ts"
import { until } from "../support/until.ts"
import { explainedVerdict } from "./verdicts.ts"

const DAY_MS = 86_400_000
let directory: string
let opened: LmdbVerdictStore[]

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "verdicts-"))
  opened = []
})

afterEach(async () => {
  for (const store of opened) await store.close()
  await rm(directory, { recursive: true })
})

function openStore(options: RetentionOptions = {}): LmdbVerdictStore {
  const store = openVerdictStore(directory, options)
  opened.push(store)
  return store
}

describe("openVerdictStore", () => {
  test("put stores a verdict that byEvent returns unchanged", async () => {
    const store = openStore()
    const verdict = explainedVerdict("event-1", { content: "naïve \u2028 ' \ud83d\ude00" })
    expect(await store.put(verdict)).toBe("new")
    expect(store.byEvent("event-1")).toEqual(verdict)
    expect(store.byEvent("event-2")).toBeUndefined()
  })

  test("put twice keeps the first content and counts one verdict", async () => {
    const store = openStore()
    await store.put(explainedVerdict("event-1", { content: "first" }))
    expect(await store.put(explainedVerdict("event-1", { content: "second" }))).toBe("same")
    expect(store.byEvent("event-1")?.verdict.profile.summary).toBe("first")
    expect(store.count()).toBe(1)
  })

  test("put refuses another idempotency key for a known event id", async () => {
    const store = openStore()
    await store.put(explainedVerdict("event-1", { key: "event-1:aa" }))
    const conflicting = store.put(explainedVerdict("event-1", { key: "event-1:bb" }))
    await expect(conflicting).rejects.toBeInstanceOf(EventIdConflictError)
    expect(store.novelty("event-1", "event-1:bb")).toBe("conflict")
    expect(store.novelty("event-1", "event-1:aa")).toBe("same")
    expect(store.novelty("event-2", "event-2")).toBe("new")
  })

  test("put of one event by many writers at once is new for exactly one", async () => {
    const store = openStore()
    const all = Array.from({ length: 50 }, () => store.put(explainedVerdict("event-1")))
    const novelties = await Promise.all(all)
    expect(novelties.filter((novelty) => novelty === "new")).toHaveLength(1)
    expect(store.query({ limit: 10 }).items).toHaveLength(1)
  })

  test("record answers a redelivery with the content already held", async () => {
    const store = openStore()
    const first = explainedVerdict("event-1", { content: "first" })
    expect(await store.record(first)).toEqual(first)
    expect(await store.record(explainedVerdict("event-1", { content: "second" }))).toEqual(first)
  })

  test("put takes event and session ids of any length and content", async () => {
    const store = openStore()
    for (const id of ["", "\0", "é".repeat(5_000), "x".repeat(100_000)]) {
      await store.put(explainedVerdict(id, { sessionId: id }))
      expect(store.byEvent(id)?.verdict.event_id).toBe(id)
      expect(store.query({ sessionId: id, limit: 5 }).items).toHaveLength(1)
    }
  })

  test("verdicts outlive close and open", async () => {
    const store = openStore()
    await store.put(explainedVerdict("event-1"))
    await store.close()
    opened = []
    expect(openStore().byEvent("event-1")).toEqual(explainedVerdict("event-1"))
  })

  test("the file is readable by its owner alone", async () => {
    openStore()
    expect((await stat(join(directory, "verdicts.mdb"))).mode & 0o777).toBe(0o600)
  })
})

describe("VerdictStore.query", () => {
  // Oracle: the same verdicts in an array, filtered and sorted there.
  test("query pages through exactly what an array holds, newest first", async () => {
    const verdict = fc.record({
      id: fc.integer({ min: 0, max: 40 }),
      session: fc.constantFrom("a", "b", "aa"),
      timeMs: fc.integer({ min: 0, max: 30 }),
    })
    const query = fc.record({
      sessionId: fc.option(fc.constantFrom("a", "b", "c"), { nil: undefined }),
      sinceMs: fc.option(fc.integer({ min: -1, max: 31 }), { nil: undefined }),
      limit: fc.integer({ min: 1, max: 7 }),
    })
    await fc.assert(
      fc.asyncProperty(fc.array(verdict, { maxLength: 40 }), query, async (rows, asked) => {
        const folder = await mkdtemp(join(directory, "run-"))
        const store = openVerdictStore(folder)
        const held = new Map<number, (typeof rows)[number]>()
        for (const row of rows) {
          if (!held.has(row.id)) held.set(row.id, row)
          await store.put(explainedVerdict(`${row.id}`, { ...row, sessionId: row.session }))
        }
        const { sessionId, sinceMs } = asked
        const expected = [...held.values()]
          .filter((row) => sessionId === undefined || row.session === sessionId)
          .filter((row) => sinceMs === undefined || row.timeMs >= sinceMs)
        const found = readAllPages(store, asked)
        await store.close()
        const times = found.map((item) => item.eventTimeMs)
        expect(times).toEqual(times.toSorted((a, b) => b - a))
        expect(found.map((item) => Number(item.verdict.event_id)).toSorted()).toEqual(
          expected.map((row) => row.id).toSorted(),
        )
      }),
      { numRuns: 25 },
    )
  })

  test("query refuses a cursor that it did not write", async () => {
    const store = openStore()
    await store.put(explainedVerdict("event-1"))
    for (const cursor of [
      "",
      "x",
      "A".repeat(53),
      "A".repeat(55),
      `${"A".repeat(53)}_`,
      "=".repeat(54),
    ]) {
      expect(() => store.query({ limit: 1, cursor })).toThrow(MalformedError)
    }
  })

  test("query refuses a limit outside 1..1000 and a time that is none", () => {
    const store = openStore()
    for (const limit of [0, 1_001, 1.5, Number.NaN]) {
      expect(() => store.query({ limit })).toThrow("limit")
    }
    expect(() => store.query({ limit: 1, sinceMs: Number.NaN })).toThrow("since")
  })
})

describe("VerdictStore.sweep", () => {
  test("sweep removes verdicts by age since arrival, with their index entries", async () => {
    let nowMs = 100 * DAY_MS
    const store = openStore({ retentionDays: 30, clock: { nowMs: () => nowMs } })
    await store.put(explainedVerdict("old", { sessionId: "s" }))
    nowMs += 20 * DAY_MS
    await store.put(explainedVerdict("young", { sessionId: "s", timeMs: 0 }))
    nowMs += 11 * DAY_MS
    expect(await store.sweep()).toBe(1)
    expect(store.byEvent("old")).toBeUndefined()
    const bySession = store.query({ sessionId: "s", limit: 10 }).items
    expect(bySession.map((item) => item.verdict.event_id)).toEqual(["young"])
    expect(store.count()).toBe(1)
  })

  test("put sweeps by itself after so many writes, and not before", async () => {
    let nowMs = 100 * DAY_MS
    const store = openStore({ retentionDays: 30, sweepEvery: 2, clock: { nowMs: () => nowMs } })
    await store.put(explainedVerdict("old"))
    nowMs += 31 * DAY_MS
    await store.put(explainedVerdict("second"))
    await until(() => store.count() === 1)
    nowMs += 31 * DAY_MS
    await store.put(explainedVerdict("third"))
    expect(store.count()).toBe(2)
  })

  test("put keeps the store under its size cap by dropping the oldest", async () => {
    let nowMs = 0
    const bytesMax = 2 * 1_048_576
    const store = openStore({ bytesMax, clock: { nowMs: () => nowMs } })
    const content = "x".repeat(20_000)
    for (let index = 0; index < 512; index += 1) {
      nowMs += 1
      await store.put(explainedVerdict(`event-${index}`, { content }))
    }
    await store.sweep()
    expect(store.count()).toBeGreaterThan(50)
    expect(store.count() * 20_000).toBeLessThan(bytesMax)
    expect(store.byEvent("event-0")).toBeUndefined()
    expect(store.byEvent("event-511")).toBeDefined()
    expect(store.query({ limit: 1_000 }).items).toHaveLength(store.count())
  })
})

describe("durability", () => {
  // A child writes and prints what was acknowledged; the parent kills it in mid-write, four times.
  test("kill -9 while writing loses no acknowledged put", async () => {
    const acknowledged: string[] = []
    for (const run of ["a", "b", "c", "d"]) {
      const child = Bun.spawn(["bun", join(import.meta.dir, "writer-child.ts"), directory, run], {
        stdout: "pipe",
        stderr: "inherit",
      })
      let text = ""
      for await (const chunk of child.stdout) {
        text += Buffer.from(chunk).toString()
        if (text.length > 2_000 && !child.killed) child.kill("SIGKILL")
      }
      await child.exited
      acknowledged.push(...text.split("\n").slice(0, -1))
    }
    const store = openStore()
    const lost = acknowledged.filter((id) => store.byEvent(id)?.verdict.profile.summary !== id)
    expect(lost).toEqual([])
    expect(acknowledged.length).toBeGreaterThan(400)
    expect(readAllPages(store, { limit: 1_000 })).toHaveLength(store.count())
  })

  // A limit on the size of files stands in for a full disk: LMDB meets both as a failed write.
  test("put is UNAVAILABLE, so tried again, while the disk takes no more", async () => {
    const script = join(import.meta.dir, "full-disk-child.ts")
    const limited = `trap '' XFSZ; ulimit -f 1024; exec "$0" "$@"`
    const child = Bun.spawn(["sh", "-c", limited, process.execPath, script, directory], {
      stdout: "pipe",
      stderr: "pipe",
    })
    const noted = new Response(child.stderr).text()
    expect(await new Response(child.stdout).text()).toBe("UNAVAILABLE after true event-0")
    expect(await child.exited).toBe(0)
    // one short note of the library's native part is all: no stack trace for each try
    expect(await noted).toMatch(/^Write error: .{1,80}$/)
  })
})

function readAllPages(
  store: LmdbVerdictStore,
  query: { sessionId?: string | undefined; sinceMs?: number | undefined; limit: number },
) {
  const found = []
  let cursor: string | undefined
  do {
    const page = store.query({
      limit: query.limit,
      ...(query.sessionId !== undefined && { sessionId: query.sessionId }),
      ...(query.sinceMs !== undefined && { sinceMs: query.sinceMs }),
      ...(cursor !== undefined && { cursor }),
    })
    found.push(...page.items)
    cursor = page.cursor
  } while (cursor !== undefined)
  return found
}
