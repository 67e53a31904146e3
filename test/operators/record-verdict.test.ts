import { afterEach, beforeEach, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Verdict } from "../../src/events.ts"
import { recordVerdict } from "../../src/operators/record-verdict.ts"
import { openVerdictStore } from "../../src/store/verdict-store.ts"
import { explainedVerdict } from "../store/verdicts.ts"
import { operatorContext } from "../support/operator-context.ts"

let directory: string

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "sentinel-record-"))
})

afterEach(() => {
  rmSync(directory, { recursive: true, force: true })
})

function at(offset: bigint) {
  const context = operatorContext()
  return { ...context, record: { ...context.record, topic: "events", offset } }
}

test("recordVerdict passes on the first verdict of an event, and counts it once", async () => {
  const store = openVerdictStore(directory, { retentionDays: 36_500 })
  const counted: string[] = []
  const onRecorded = ({ profile }: Verdict) => void counted.push(profile.summary)
  const operator = recordVerdict(store, { onRecorded, placed: new Set() })
  const first = explainedVerdict("event-1", { content: "first" })
  const again = explainedVerdict("event-1", { content: "second" })
  const held = { ...first, isRepeat: false }
  expect(await operator.process(first, at(1n))).toEqual(held)
  expect(await operator.process(again, at(2n))).toEqual(held)
  expect(counted).toEqual(["first"])
  await store.close()
})

test("recordVerdict tells an event announced twice from one that is delivered twice", async () => {
  const store = openVerdictStore(directory, { retentionDays: 36_500 })
  const operator = recordVerdict(store, { placed: new Set(["events"]) })
  const verdict = explainedVerdict("event-1", { content: "first" })
  const repeats: boolean[] = []
  for (const offset of [7n, 7n, 9n]) {
    repeats.push((await operator.process(verdict, at(offset))).isRepeat)
  }
  expect(repeats).toEqual([false, false, true])
  await store.close()
})
