import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { MalformedError } from "../../src/errors.ts"
import { type DeadLetterStore, openDeadLetterStore } from "../../src/store/dead-letter-store.ts"
import type { DeadLetter } from "../../src/stream/types.ts"

let directory: string
let store: DeadLetterStore

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "letters-"))
  store = openDeadLetterStore(directory, { clock: { nowMs: () => 10_000 } })
})

afterEach(async () => {
  await store.close()
  await rm(directory, { recursive: true })
})

function letter(value: Uint8Array, fields: { topic?: string; failedAtMs?: number } = {}) {
  return {
    code: "MALFORMED",
    operator: "decode_event",
    message: "session_id: expected a string",
    attempts: 1,
    failedAtMs: fields.failedAtMs ?? 1_000,
    record: {
      topic: fields.topic ?? "events.evidence_created",
      partition: 3,
      offset: 9_007_199_254_740_993n,
      key: null,
      value,
      headers: { trace: "1" },
      timestampMs: 900,
      receivedAtMs: 950.5,
    },
  } satisfies DeadLetter
}

test("openDeadLetterStore keeps the original bytes and every field of a letter", async () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)
  await store.write(letter(bytes))
  const listed = store.list({ limit: 10 }).items[0]
  expect(listed).toBeDefined()
  const { id, ...content } = store.get(listed?.id ?? "") ?? { id: "" }
  expect(content).toEqual({ ...letter(bytes), state: "open", redrives: 0 })
  expect(id).toMatch(/^[0-9a-f]{64}$/)
})

test("openDeadLetterStore keeps small offsets as bigint", async () => {
  const small = letter(Buffer.from("x"))
  await store.write({ ...small, record: { ...small.record, offset: 5n } })
  expect(store.list({ limit: 1 }).items[0]?.record.offset).toBe(5n)
})

test("write is idempotent by topic and bytes, and tells topics apart", async () => {
  await Promise.all([store.write(letter(Buffer.from("x"))), store.write(letter(Buffer.from("x")))])
  await store.write(letter(Buffer.from("x"), { failedAtMs: 2_000 }))
  expect(store.count()).toBe(1)
  expect(store.list({ limit: 10 }).items[0]?.failedAtMs).toBe(1_000)
  await store.write(letter(Buffer.from("x"), { topic: "inbox" }))
  expect(store.count()).toBe(2)
})

test("list pages newest first", async () => {
  for (const ms of [1_000, 3_000, 2_000]) {
    await store.write(letter(Buffer.from(`${ms}`), { failedAtMs: ms }))
  }
  const first = store.list({ limit: 2 })
  const second = store.list({ limit: 2, ...(first.cursor && { cursor: first.cursor }) })
  const times = [...first.items, ...second.items].map((item) => item.failedAtMs)
  expect(times).toEqual([3_000, 2_000, 1_000])
  expect(second.cursor).toBeUndefined()
})

test("get and list refuse ids and cursors that they did not give", () => {
  expect(() => store.get("../../etc/passwd")).toThrow(MalformedError)
  expect(() => store.list({ limit: 1, cursor: "x" })).toThrow(MalformedError)
  expect(store.get("0".repeat(64))).toBeUndefined()
})

test("letters older than the retention time go when the store is opened", async () => {
  await store.write(letter(Buffer.from("x"), { failedAtMs: 1_000 }))
  await store.close()
  const later = { retentionDays: 1, clock: { nowMs: () => 2 * 86_400_000 } }
  await openDeadLetterStore(directory, later).close()
  store = openDeadLetterStore(directory)
  expect(store.count()).toBe(0)
})

describe("redrive", () => {
  const written = letter(Buffer.from("x"))
  const only = () => store.list({ limit: 10 }).items[0]
  const idOf = () => only()?.id ?? ""

  test("markRedriven and markDone tell redriven from resolved, and leave the letter as it was", async () => {
    await store.write(written)
    await store.markDone(written.record)
    expect(only()?.state).toBe("open")
    await store.markRedriven(idOf())
    expect(only()).toMatchObject({ state: "redriven", redrives: 1, redrivenAtMs: 10_000 })
    await store.markDone(written.record)
    expect(only()).toMatchObject({ ...written, state: "resolved", settledAtMs: 10_000 })
  })

  test("write of a redriven letter makes it failed_again and keeps both failures", async () => {
    await store.write(written)
    await store.markRedriven(idOf())
    await store.write({ ...written, code: "OBJECT_NOT_FOUND", failedAtMs: 9_000 })
    expect(store.count()).toBe(1)
    expect(only()).toMatchObject({
      code: "MALFORMED",
      failedAtMs: 1_000,
      state: "failed_again",
      lastFailure: { code: "OBJECT_NOT_FOUND", failedAtMs: 9_000 },
    })
    expect(store.list({ limit: 1, code: "MALFORMED" }).items).toEqual([])
    expect(store.list({ limit: 1, code: "OBJECT_NOT_FOUND" }).items).toHaveLength(1)
  })

  test("the state of a redrive outlives the process, and goes with its letter", async () => {
    await store.write(written)
    await store.markRedriven(idOf())
    await store.close()
    store = openDeadLetterStore(directory, { clock: { nowMs: () => 10_000 } })
    expect(only()?.state).toBe("redriven")
    await store.markRedriven("0".repeat(64))
    expect(store.get("0".repeat(64))).toBeUndefined()
  })
})

test("list filters by code and since, and its pages meet every letter once", async () => {
  for (let ms = 1; ms <= 30; ms += 1) {
    const one = letter(Buffer.from(`${ms}`), { failedAtMs: ms })
    await store.write({ ...one, code: ms % 3 === 0 ? "THIRD" : "OTHER" })
  }
  const times: number[] = []
  let cursor: string | undefined
  for (let pages = 0; pages < 10; pages += 1) {
    const page = store.list({ code: "THIRD", sinceMs: 7, limit: 3, ...(cursor && { cursor }) })
    times.push(...page.items.map(({ failedAtMs }) => failedAtMs))
    cursor = page.cursor
    if (cursor === undefined) break
  }
  expect(times).toEqual([30, 27, 24, 21, 18, 15, 12, 9])
})
