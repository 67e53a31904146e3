import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { MalformedError, RuleUnknownError, TooLargeError } from "../../src/errors.ts"
import type { RuleStore } from "../../src/ports/rules.ts"
import type { RuleState, StoredRule } from "../../src/rule.ts"
import { openRuleStore } from "../../src/store/rule-store.ts"
import { someRule } from "../support/some-rule.ts"

let directory: string
let store: RuleStore

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "rules-"))
  store = openRuleStore(directory)
})
afterEach(async () => {
  await store.close()
  rmSync(directory, { recursive: true })
})

function stored(id: string, state: RuleState = "pending_review", second = 0): StoredRule {
  const createdAt = new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString()
  return { rule: someRule({ rule_id: id, created_at: createdAt }), state, history: [] }
}

const ids = (rules: readonly StoredRule[]) => rules.map(({ rule }) => rule.rule_id)

describe("openRuleStore", () => {
  test("add keeps the first rule of an id, and a store that is opened again has it", async () => {
    const first = stored("a")
    expect(await store.add(first)).toEqual(first)
    expect(await store.add(stored("a", "approved"))).toEqual(first)
    await store.close()
    store = openRuleStore(directory)
    expect(store.get("a")).toEqual(first)
    expect(store.get("b")).toBeUndefined()
  })

  test("instanceId is the store's own, and stays", async () => {
    const [first, second] = await Promise.all([store.instanceId(), store.instanceId()])
    expect(second).toBe(first)
    await store.close()
    store = openRuleStore(directory)
    expect(await store.instanceId()).toBe(first)
  })

  test("update moves a rule between the states that query, counts and inStates see", async () => {
    await store.add(stored("a"))
    await store.update("a", (held) => ({ ...held, state: "approved" }))
    expect(await store.update("a", () => undefined)).toMatchObject({ state: "approved" })
    expect(store.counts()).toMatchObject({ pending_review: 0, approved: 1 })
    expect(ids(store.inStates(["approved", "active"]))).toEqual(["a"])
    expect(store.query({ state: "pending_review", limit: 5 }).items).toEqual([])
    await expect(store.update("b", (held) => held)).rejects.toThrow(RuleUnknownError)
  })

  test("update leaves the rule as it is where the change throws", async () => {
    await store.add(stored("a"))
    const refuse = () => {
      throw new MalformedError("state", "another one")
    }
    await expect(store.update("a", refuse)).rejects.toThrow(MalformedError)
    expect(store.get("a")).toEqual(stored("a"))
  })

  test("changes of one rule at once follow each other", async () => {
    await store.add(stored("a"))
    const move = { state: "approved", at: "2026", by: "policy", note: "" } as const
    const add = () => store.update("a", (held) => ({ ...held, history: [...held.history, move] }))
    await Promise.all(Array.from({ length: 20 }, add))
    expect(store.get("a")?.history).toHaveLength(20)
  })

  test("query pages newest first, all of them and those of one state", async () => {
    for (const [index, id] of ["a", "b", "c", "d", "e"].entries()) {
      await store.add(stored(id, id === "c" ? "rejected" : "active", index))
    }
    const first = store.query({ limit: 3 })
    const { cursor = "" } = first
    expect(ids(first.items)).toEqual(["e", "d", "c"])
    expect(ids(store.query({ limit: 3, cursor }).items)).toEqual(["b", "a"])
    expect(ids(store.query({ state: "active", limit: 9 }).items)).toEqual(["e", "d", "b", "a"])
    expect(() => store.query({ limit: 0 })).toThrow(MalformedError)
  })

  test("add refuses a rule beyond 256 KiB", async () => {
    const note = "x".repeat(262_144)
    const history = [{ state: "rejected", at: "2026", by: "ana", note } as const]
    await expect(store.add({ ...stored("a"), history })).rejects.toThrow(TooLargeError)
    expect(store.get("a")).toBeUndefined()
  })

  test("beyond 10,000 rules the oldest that is only logged goes, never one that is active", async () => {
    await store.add(stored("active", "active"))
    await store.add(stored("rejected", "rejected"))
    await store.add(stored("logged", "logged_only", 1))
    const more = Array.from({ length: 9_998 }, (_, index) => stored(`r${index}`, "active", 2))
    await Promise.all(more.map((rule) => store.add(rule)))
    expect(store.get("logged")).toBeUndefined()
    expect(store.get("active")).toBeDefined()
    expect(store.get("rejected")).toBeDefined()
    expect(store.counts().active).toBe(9_999)
  }, 60_000)
})
