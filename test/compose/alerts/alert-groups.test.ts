import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Alert, AlertStore } from "../../../src/alert.ts"
import { AlertGroups } from "../../../src/compose/alerts/alert-groups.ts"
import { UnavailableError } from "../../../src/errors.ts"
import { openAlertStore } from "../../../src/store/alert-store.ts"
import { someOccurrence } from "../../support/alerts.ts"

const MINUTE_MS = 60_000
const limits = {
  ...{ updateMs: 10 * MINUTE_MS, quietMs: 60 * MINUTE_MS },
  ...{ lifeMs: 24 * 60 * MINUTE_MS, attackersMax: 5 },
}

let directory: string
let store: AlertStore
let nowMs: number
let raised: Alert[]

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "groups-"))
  store = openAlertStore(directory, { targets: ["webhook"] })
  nowMs = Date.UTC(2026, 0, 1)
  raised = []
})
afterEach(async () => {
  await store.close()
  rmSync(directory, { recursive: true })
})

function openGroups(from: Pick<AlertStore, "groups" | "round"> = store): AlertGroups {
  const onRaised = (alerts: readonly Alert[]) => raised.push(...alerts)
  return new AlertGroups({ store: from, clock: { nowMs: () => nowMs }, limits, onRaised })
}

const sessions = (count: number, from = 0) =>
  Array.from({ length: count }, (_, index) =>
    someOccurrence({ id: `event-${from + index}`, sessionId: `session-${from + index}` }),
  )
const raiseTwo = (groups: AlertGroups) => sessions(2, 2).map((one) => groups.raise(one))
const told = () => raised.map(({ status, sessions: { count } }) => [status, count])

describe("AlertGroups", () => {
  test("AlertGroups tells of 400 sessions of one scanner once, then of how it goes on", async () => {
    const groups = openGroups()
    await Promise.all(sessions(400).map((one) => groups.raise(one)))
    await groups.tick()
    expect(told()).toEqual([["opened", 1]])
    nowMs += 10 * MINUTE_MS
    await groups.tick()
    await groups.raise(sessions(1, 400)[0] ?? someOccurrence())
    nowMs += 60 * MINUTE_MS
    await groups.tick()
    await groups.tick()
    expect(told()).toEqual([
      ["opened", 1],
      ["updated", 400],
      ["closed", 401],
    ])
    expect(groups.open).toBe(0)
    expect(store.groups()).toEqual([])
  })

  test("AlertGroups goes on after a crash where it was, and counts a redelivery once", async () => {
    const before = openGroups()
    await Promise.all(sessions(3).map((one) => before.raise(one)))
    await store.close()
    store = openAlertStore(directory, { targets: ["webhook"] })
    const after = openGroups()
    await Promise.all(sessions(5).map((one) => after.raise(one)))
    nowMs += 10 * MINUTE_MS
    await after.tick()
    expect(told()).toEqual([
      ["opened", 1],
      ["updated", 5],
    ])
  })

  test("AlertGroups loses nothing that comes while it tells of what is due", async () => {
    const groups = openGroups()
    await Promise.all(sessions(2).map((one) => groups.raise(one)))
    nowMs += 10 * MINUTE_MS
    const other = someOccurrence({ attacker: "203.0.113.10" })
    await Promise.all([groups.tick(), groups.raise(other), groups.tick(), ...raiseTwo(groups)])
    nowMs += 10 * MINUTE_MS
    await groups.tick()
    expect(told()).toEqual([
      ["opened", 1],
      ["updated", 2],
      ["opened", 1],
      ["updated", 4],
    ])
    expect(groups.open).toBe(2)
  })

  test("AlertGroups writes a flood in few commits", async () => {
    let rounds = 0
    const counted = {
      groups: () => store.groups(),
      round: (work: Parameters<AlertStore["round"]>[0]) => {
        rounds += 1
        return store.round(work)
      },
    }
    const groups = openGroups(counted)
    await Promise.all(sessions(256).map((one) => groups.raise(one)))
    expect(rounds).toBeLessThanOrEqual(2)
  })

  test("AlertGroups rejects what it cannot keep, and knows nothing of it", async () => {
    let isFull = true
    const full = {
      groups: () => store.groups(),
      round: (work: Parameters<AlertStore["round"]>[0]) =>
        isFull ? Promise.reject(new UnavailableError("the store")) : store.round(work),
    }
    const groups = openGroups(full)
    await expect(groups.raise(someOccurrence())).rejects.toThrow(UnavailableError)
    expect(groups.open).toBe(0)
    isFull = false
    await groups.raise(someOccurrence())
    expect(told()).toEqual([["opened", 1]])
  })
})
