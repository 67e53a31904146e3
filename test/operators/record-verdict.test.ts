import { afterEach, beforeEach, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
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

test("recordVerdict passes on the first verdict of an event, and counts it once", async () => {
  const store = openVerdictStore(directory, { retentionDays: 36_500 })
  const counted: string[] = []
  const operator = recordVerdict(store, ({ profile }) => counted.push(profile.summary))
  const first = explainedVerdict("event-1", { content: "first" })
  const again = explainedVerdict("event-1", { content: "second" })
  expect(await operator.process(first, operatorContext())).toEqual(first)
  expect(await operator.process(again, operatorContext())).toEqual(first)
  expect(counted).toEqual(["first"])
  await store.close()
})
