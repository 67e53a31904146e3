import { afterEach, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { FalsePositiveStore } from "../../src/store/false-positive-store.ts"

const directory = mkdtempSync(join(tmpdir(), "sentinel-false-positives-"))
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const report = (payload: string, sessionId?: string) => ({
  ...{ payload, sessionId, originalLabel: "xss", notes: undefined },
  ...{ reviewer: "anna", model: "payload-linear/1.2.0" },
})

test("FalsePositiveStore keeps one report for each payload and session, also after a restart", async () => {
  const clock = { nowMs: () => 1_000 }
  const store = new FalsePositiveStore(directory, { clock })
  expect(await store.add(report("a"))).toBe("new")
  expect(await store.add(report("a", "s"))).toBe("new")
  expect(await store.add(report("a"))).toBe("same")
  await store.close()
  const again = new FalsePositiveStore(directory, { clock })
  expect([await again.add(report("a", "s")), again.count()]).toEqual(["same", 2])
  await again.close()
})

test("FalsePositiveStore holds no more than its bound: the oldest go", async () => {
  let nowMs = 0
  const clock = { nowMs: () => ++nowMs }
  const store = new FalsePositiveStore(directory, { clock, reportsMax: 3 })
  for (const payload of ["a", "b", "c", "d", "e"]) await store.add(report(payload))
  expect(store.count()).toBe(3)
  expect(["a", "b", "c", "d", "e"].filter((payload) => store.has(report(payload)))).toEqual([
    "c",
    "d",
    "e",
  ])
  await store.close()
})
