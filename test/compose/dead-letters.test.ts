import { afterEach, beforeEach, expect, test } from "bun:test"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { deadLetterAccess } from "../../src/compose/dead-letters.ts"
import type { RedriveTarget } from "../../src/connectors/redrive.ts"
import { UnavailableError } from "../../src/errors.ts"
import { type DeadLetterStore, openDeadLetterStore } from "../../src/store/dead-letter-store.ts"
import type { DeadLetter, SourceRecord } from "../../src/stream/types.ts"
import { FakeClock } from "../support/fake-clock.ts"
import { record } from "../support/list-source.ts"

let directory: string
let store: DeadLetterStore
let sent: SourceRecord[]
let failure: Error | undefined

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "redrive-"))
  store = openDeadLetterStore(directory)
  sent = []
  failure = undefined
})

afterEach(async () => {
  await store.close()
  await rm(directory, { recursive: true })
})

const target: RedriveTarget = {
  async send(letter) {
    if (failure !== undefined) throw failure
    sent.push(letter.record)
  },
  close: () => Promise.resolve(),
}

const clock = new FakeClock()

function access() {
  return deadLetterAccess({ store, inbox: target, kafka: target, clock })
}

function letter(value: string, code = "MALFORMED"): DeadLetter {
  const failed = { ...record(Number(value), value, { key: "k", topic: "t" }), headers: { h: "1" } }
  return {
    ...{ code, operator: "decode_event", message: "why", attempts: 1 },
    ...{ record: failed, failedAtMs: Date.now() - 1_000 + Number(value) },
  }
}

test("redrive puts the record back unchanged, once, and again only when told to", async () => {
  await store.write(letter("1"))
  const letters = access()
  const first = await Promise.all([letters.redrive({ limit: 10 }), letters.redrive({ limit: 10 })])
  expect(first.map(({ redriven, skipped }) => [redriven.length, skipped.length])).toEqual([
    [1, 0],
    [0, 1],
  ])
  expect(sent).toEqual([letter("1").record])
  expect(await letters.redrive({ limit: 10, again: true })).toMatchObject({
    redriven: [store.list({ limit: 1 }).items[0]?.id],
    isComplete: true,
  })
  expect(sent).toHaveLength(2)
})

test("redrive takes what code, ids and limit select, and says where to go on", async () => {
  for (const value of ["1", "2", "3"]) await store.write(letter(value))
  await store.write(letter("4", "HASH_MISMATCH"))
  const letters = access()
  await letters.redrive({ limit: 10, code: "HASH_MISMATCH" })
  expect(sent.map(({ offset }) => offset)).toEqual([4n])
  const page = await letters.redrive({ limit: 2, code: "MALFORMED" })
  expect([page.redriven.length, page.isComplete]).toEqual([2, false])
  const next = page.cursor === undefined ? {} : { cursor: page.cursor }
  const rest = await letters.redrive({ limit: 2, code: "MALFORMED", ...next })
  expect([rest.redriven.length, rest.isComplete]).toEqual([1, true])
  const missing = await letters.redrive({ limit: 10, ids: ["0".repeat(64)] })
  expect(missing.failed).toMatchObject([{ code: "NOT_FOUND" }])
})

test("redrive leaves a letter open that could not be put back, stops at an outage and goes on behind it", async () => {
  await store.write(letter("1"))
  await store.write(letter("2"))
  failure = new UnavailableError("kafka")
  const report = await access().redrive({ limit: 10 })
  expect([report.failed.length, report.isComplete]).toEqual([1, false])
  expect(store.list({ limit: 10 }).items.map(({ state }) => state)).toEqual(["open", "open"])
  const withoutKafka = deadLetterAccess({ store, inbox: target, kafka: undefined, clock })
  expect((await withoutKafka.redrive({ limit: 1 })).failed[0]?.code).toBe("UNAVAILABLE")
  failure = undefined
  const next = report.cursor === undefined ? {} : { cursor: report.cursor }
  const rest = await access().redrive({ limit: 10, ...next })
  expect([rest.redriven.length, sent[0]?.offset, rest.isComplete]).toEqual([1, 1n, true])
})
