import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { RuleReconciler } from "../../../src/compose/rules/rule-reconciler.ts"
import type { Gatekeeper, RuleStore } from "../../../src/ports/rules.ts"
import type { Rule, RuleState } from "../../../src/rule.ts"
import { gatekeeperClient } from "../../../src/services/gatekeeper-client.ts"
import { openRuleStore } from "../../../src/store/rule-store.ts"
import { startGatekeeper, type TestGatekeeper } from "../../support/gatekeeper/gatekeeper.ts"
import { someRule } from "../../support/some-rule.ts"

const NOW = Date.parse("2026-01-10T00:00:00Z")
let directory: string
let store: RuleStore
let server: TestGatekeeper
let applied: string[]
let nowMs: number

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "rules-"))
  store = openRuleStore(directory)
  server = await startGatekeeper()
  applied = []
  nowMs = NOW
})
afterEach(async () => {
  await store.close()
  await server[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true })
})

function client(): Gatekeeper {
  return gatekeeperClient({ url: server.url, token: server.token, timeoutMs: 1_000 })
}

function reconciler(gatekeeper: Gatekeeper = client()): RuleReconciler {
  const onApplied = ({ rule_id }: Rule) => applied.push(rule_id)
  return new RuleReconciler({ store, gatekeeper, clock: { nowMs: () => nowMs }, onApplied })
}

async function decide(ruleId: string, state: RuleState = "approved", fields: Partial<Rule> = {}) {
  const decided = { rule: someRule({ rule_id: ruleId, ...fields }), state, history: [] }
  await store.add(decided)
  await store.update(ruleId, () => decided)
}

async function activeIds(): Promise<readonly string[]> {
  return (await client().list()).map(({ rule_id }) => rule_id).sort()
}

describe("RuleReconciler", () => {
  test("run delivers what is approved, once, and nothing that is not decided", async () => {
    await decide("a")
    await decide("b")
    await decide("waits", "pending_review")
    await decide("never", "rejected")
    await reconciler().run()
    await reconciler().run()
    expect(await activeIds()).toEqual(["a", "b"])
    expect(await server.created()).toHaveLength(2)
    expect(applied.sort()).toEqual(["a", "b"])
    expect(store.get("a")?.state).toBe("active")
  })

  test("run brings everything back after Gatekeeper has lost its memory, nothing twice", async () => {
    for (const id of ["a", "b", "c"]) await decide(id)
    const reconciling = reconciler()
    await reconciling.run()
    await server.fail({ forget: true })
    const { drift } = await reconciling.run()
    expect(drift?.missing.map(({ rule_id }) => rule_id).sort()).toEqual(["a", "b", "c"])
    expect(await activeIds()).toEqual(["a", "b", "c"])
    expect((await reconciling.run()).drift).toEqual({
      ...{ missing: [], changed: [], surplus: [], foreign: [] },
    })
  })

  test("run lets what a rule replaces stay where a person rejects that rule meanwhile", async () => {
    await decide("old")
    await reconciler().run()
    await decide("new", "approved", { audit: { ...someRule().audit, replaces: ["old"] } })
    const rejecting = {
      ...client(),
      async create(rule: Rule) {
        await decide("new", "rejected")
        return client().create(rule)
      },
    }
    const reconciling = reconciler(rejecting)
    await reconciling.run()
    expect(store.get("old")?.state).toBe("active")
    await reconciling.run()
    expect(await activeIds()).toEqual(["old"])
    expect(applied).toEqual(["old"])
  })

  test("run waits out a Gatekeeper that is down, slow or broken, and delivers afterwards", async () => {
    await decide("a")
    const { port } = server
    const reconciling = reconciler()
    for (const fault of [{ status: 500 }, { delay_seconds: 2 }]) {
      await server.fail(fault)
      expect((await reconciling.run()).failures).toEqual(["UNAVAILABLE"])
      expect(reconciling.isDrifting).toBe(true)
    }
    await server[Symbol.asyncDispose]()
    expect((await reconciling.run()).drift).toBeUndefined()
    server = await startGatekeeper(port)
    await reconciling.run()
    expect(await activeIds()).toEqual(["a"])
    expect(reconciling.isDrifting).toBe(false)
  })

  test("run enables a rule that somebody disabled, and mends one that somebody changed", async () => {
    await decide("disabled")
    await decide("changed")
    const reconciling = reconciler()
    await reconciling.run()
    await client().toggle("disabled", false)
    await client().remove("changed")
    const other = { ...someRule().match, pattern: "harmless" }
    await client().create(someRule({ rule_id: "changed", match: other }))
    await reconciling.run()
    const active = await client().list()
    expect(active.map(({ enabled }) => enabled)).toEqual([true, true])
    expect(active.every(({ match }) => match.pattern === someRule().match.pattern)).toBe(true)
  })

  test("run takes out what expired, was rejected or is unknown, and leaves the rules of others", async () => {
    await client().create(someRule({ rule_id: "of-others", created_by: "admin" as never }))
    const audit = { ...someRule().audit, instance: await store.instanceId() }
    await client().create(someRule({ rule_id: "unknown", audit }))
    await decide("expires", "approved", { expires_at: "2026-01-11T00:00:00Z" })
    await decide("rejected")
    const reconciling = reconciler()
    await reconciling.run()
    expect(await activeIds()).toEqual(["expires", "of-others", "rejected"])
    nowMs = Date.parse("2026-01-11T00:00:01Z")
    await decide("rejected", "rejected")
    await reconciling.run()
    expect(await activeIds()).toEqual(["of-others"])
    expect(store.get("expires")?.state).toBe("expired")
  })

  test("run leaves the rules of another Sentinel alone, and shares those that both made", async () => {
    const otherDirectory = mkdtempSync(join(tmpdir(), "rules-"))
    const other = openRuleStore(otherDirectory)
    const clock = { nowMs: () => nowMs }
    const parts = { gatekeeper: client(), clock, onApplied: () => undefined }
    const theirs = new RuleReconciler({ ...parts, store: other })
    for (const rule_id of ["theirs", "both"]) {
      await other.add({ rule: someRule({ rule_id }), state: "approved", history: [] })
    }
    await theirs.run()
    await decide("ours")
    await decide("both")
    const reconciling = reconciler()
    await reconciling.run()
    await reconciling.run()
    await theirs.run()
    expect(await activeIds()).toEqual(["both", "ours", "theirs"])
    expect([reconciling.isDrifting, theirs.isDrifting]).toEqual([false, false])
    expect(reconciling.last.drift?.foreign).toEqual(["theirs"])
    expect(store.get("both")?.state).toBe("active")
    await other.close()
    rmSync(otherDirectory, { recursive: true })
  })

  test("run leaves a rule that says of no instance alone, unless its id is one of the store's", async () => {
    await client().create(someRule({ rule_id: "by-hand" }))
    await client().create(someRule({ rule_id: "no-audit", audit: undefined as never }))
    await client().create(someRule({ rule_id: "rejected" }))
    await decide("rejected", "rejected")
    const reconciling = reconciler()
    const { drift } = await reconciling.run()
    expect(drift?.foreign).toEqual(["by-hand", "no-audit"])
    expect(drift?.surplus).toEqual(["rejected"])
    expect(await activeIds()).toEqual(["by-hand", "no-audit"])
    await reconciling.run()
    expect(reconciling.isDrifting).toBe(false)
  })

  test("run believes a rule to be active only when it reads it back", async () => {
    await decide("swallowed")
    const lying: Gatekeeper = { ...client(), create: () => Promise.resolve("created") }
    expect((await reconciler(lying).run()).failures).toEqual(["NOT_STORED"])
    expect(store.get("swallowed")?.state).toBe("approved")
    expect(applied).toEqual([])
  })

  test("run delivers the others where Gatekeeper refuses one", async () => {
    await decide("malformed", "approved", { match: "x" as never })
    await decide("good")
    const { failures } = await reconciler().run()
    expect(failures).toContain("GATEKEEPER_REFUSED")
    expect(await activeIds()).toEqual(["good"])
  })

  test("run never undoes what a person decided while it ran", async () => {
    await decide("a")
    const slow: Gatekeeper = {
      ...client(),
      async list() {
        const active = await client().list()
        // the second list is the one that reads back
        if (active.length > 0) await decide("a", "rejected")
        return active
      },
    }
    await reconciler(slow).run()
    expect(store.get("a")?.state).toBe("rejected")
    await reconciler().run()
    expect(await activeIds()).toEqual([])
  })

  test("a rule decided before a crash is delivered by the next process", async () => {
    await decide("a")
    await store.close()
    store = openRuleStore(directory)
    await reconciler().run()
    expect(await activeIds()).toEqual(["a"])
  })
})
