import { afterEach, beforeEach, expect, test } from "bun:test"
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
  const listed = store.list(10).items[0]
  expect(listed).toBeDefined()
  const { id, ...content } = store.get(listed?.id ?? "") ?? { id: "" }
  expect(content).toEqual(letter(bytes))
  expect(id).toMatch(/^[0-9a-f]{64}$/)
})

test("openDeadLetterStore keeps small offsets as bigint", async () => {
  const small = letter(Buffer.from("x"))
  await store.write({ ...small, record: { ...small.record, offset: 5n } })
  expect(store.list(1).items[0]?.record.offset).toBe(5n)
})

test("write is idempotent by topic and bytes, and tells topics apart", async () => {
  await Promise.all([store.write(letter(Buffer.from("x"))), store.write(letter(Buffer.from("x")))])
  await store.write(letter(Buffer.from("x"), { failedAtMs: 2_000 }))
  expect(store.count()).toBe(1)
  expect(store.list(10).items[0]?.failedAtMs).toBe(1_000)
  await store.write(letter(Buffer.from("x"), { topic: "inbox" }))
  expect(store.count()).toBe(2)
})

test("list pages newest first", async () => {
  for (const ms of [1_000, 3_000, 2_000]) {
    await store.write(letter(Buffer.from(`${ms}`), { failedAtMs: ms }))
  }
  const first = store.list(2)
  const second = store.list(2, first.cursor)
  const times = [...first.items, ...second.items].map((item) => item.failedAtMs)
  expect(times).toEqual([3_000, 2_000, 1_000])
  expect(second.cursor).toBeUndefined()
})

test("get and list refuse ids and cursors that they did not give", () => {
  expect(() => store.get("../../etc/passwd")).toThrow(MalformedError)
  expect(() => store.list(1, "x")).toThrow(MalformedError)
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
