import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { Alert, AlertRound, AlertStore } from "../../src/alert.ts"
import { openAlertStore } from "../../src/store/alert-store.ts"
import { someAlert, someGroup } from "../support/alerts.ts"

let directory: string
let store: AlertStore
const open = (options: { waitingMax?: number } = {}) =>
  openAlertStore(directory, { targets: ["webhook", "kafka"], ...options })

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "alerts-"))
  store = open()
})
afterEach(async () => {
  await store.close()
  rmSync(directory, { recursive: true })
})

const nothing: AlertRound = { groups: [], closed: [], alerts: [] }
const alert = (event_id: string, fields: Partial<Alert> = {}) => someAlert({ event_id, ...fields })
const queue = (...alerts: Alert[]) => store.round(() => ({ ...nothing, alerts }))
const nextId = (target = "webhook") => store.next(target)?.alert.event_id

async function reopen(options: { waitingMax?: number } = {}): Promise<void> {
  await store.close()
  store = open(options)
}

describe("openAlertStore", () => {
  test("alerts wait in order for each target, until that one has them", async () => {
    await queue(alert("a"), alert("b"))
    await store.settle("webhook", "a")
    await reopen()
    expect([nextId("webhook"), nextId("kafka"), nextId("nobody")]).toEqual(["b", "a", undefined])
    expect([store.waiting("webhook"), store.waiting("kafka")]).toEqual([1, 2])
  })

  test("an update that waits gives its place to the next one of its alert", async () => {
    const updated = { status: "updated" } as const
    await queue(alert("a-1"), alert("a-2", updated), alert("b-1", { alert_id: "b" }))
    await reopen()
    await queue(alert("a-3", updated), alert("b-2", { ...updated, alert_id: "b" }))
    expect(store.waiting("webhook")).toBe(4)
    const order: (string | undefined)[] = []
    for (let id = nextId(); id !== undefined; id = nextId()) {
      order.push(id)
      await store.settle("webhook", id)
    }
    expect(order).toEqual(["a-1", "a-3", "b-1", "b-2"])
  })

  test("an update of an alert that came again leaves that of the one before it", async () => {
    const updated = { status: "updated" } as const
    await queue(alert("a-2", updated), alert("a-3", { status: "closed" }), alert("a-1"))
    await queue(alert("a-4", updated))
    await store.settle("webhook", "a-2")
    await queue(alert("a-5", updated))
    expect(store.waiting("webhook")).toBe(3)
  })

  test("settle leaves what took the place of what was delivered", async () => {
    await queue(alert("a-2", { status: "updated" }))
    await queue(alert("a-3", { status: "updated" }))
    await store.settle("webhook", "a-2")
    expect(nextId()).toBe("a-3")
  })

  test("the oldest go where too many wait, and are counted", async () => {
    await reopen({ waitingMax: 2 })
    await queue(alert("a"), alert("b"), alert("c"))
    expect([nextId(), store.waiting("webhook"), store.dropped]).toEqual(["b", 2, 2])
  })

  test("groups and what they remember survive, until they are closed", async () => {
    const group = someGroup()
    const asked: boolean[] = []
    const ask = () =>
      store.round(({ isNew }) => {
        asked.push(isNew(group.id, "session-1"), isNew(group.id, "session-1"))
        return { ...nothing, groups: [group] }
      })
    await ask()
    await reopen()
    await ask()
    expect(store.groups()).toEqual([group])
    await store.round(() => ({ ...nothing, closed: [group] }))
    await reopen()
    expect(store.groups()).toEqual([])
    await ask()
    expect(asked).toEqual([true, false, false, false, true, false])
  })

  test("what a closed group remembered is forgotten while the store is open", async () => {
    const group = someGroup()
    await store.round(({ isNew }) => {
      isNew(group.id, "session-1")
      return { ...nothing, groups: [group] }
    })
    await store.round(() => ({ ...nothing, closed: [group] }))
    let isForgotten = false
    for (let round = 0; round < 100 && !isForgotten; round += 1) {
      await store.round(({ isNew }) => {
        isForgotten = isNew(group.id, "session-1")
        return nothing
      })
    }
    expect(isForgotten).toBe(true)
  })

  test("a round that fails keeps nothing, not even what it asked", async () => {
    const failing = store.round(({ isNew }) => {
      isNew("group", "session-1")
      throw new Error("a bug")
    })
    await expect(failing).rejects.toThrow("a bug")
    await store.round(({ isNew }) => {
      expect(isNew("group", "session-1")).toBe(true)
      return nothing
    })
  })

  test("what a crash left of a closed group is forgotten at the next opening", async () => {
    const remember = (thing: string) =>
      store.round(({ isNew }) => {
        isNew("gone", thing)
        return nothing
      })
    await remember("session-1")
    await reopen()
    await reopen()
    const found: boolean[] = []
    await store.round(({ isNew }) => {
      found.push(isNew("gone", "session-1"))
      return nothing
    })
    expect(found).toEqual([true])
  })
})
