import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { RuleReconciler } from "../../../src/compose/rules/rule-reconciler.ts"
import { RuleService, type RuleServiceParts } from "../../../src/compose/rules/rule-service.ts"
import { RuleProtectedError, RuleStateError, RuleUnknownError } from "../../../src/errors.ts"
import type { RuleStore } from "../../../src/ports/rules.ts"
import type { Rule } from "../../../src/rule.ts"
import { NOTHING_PROTECTED, parseNeverBlock } from "../../../src/rules/policy/never-block.ts"
import { RuleRefusedError } from "../../../src/rules/rule-refused-error.ts"
import { gatekeeperClient } from "../../../src/services/gatekeeper-client.ts"
import { openRuleStore } from "../../../src/store/rule-store.ts"
import { startGatekeeper, type TestGatekeeper } from "../../support/gatekeeper/gatekeeper.ts"
import { someRule } from "../../support/some-rule.ts"

const NOW = Date.parse("2026-01-10T00:00:00Z")
const TTL_MS = 86_400_000
const ORIGIN = { location: "query:q" }
const REVIEW = { by: "ana", note: "seen" }
let directory: string
let store: RuleStore
let server: TestGatekeeper
let reconciler: RuleReconciler
let nowMs: number
let decided: string[]

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "rules-"))
  store = openRuleStore(directory)
  server = await startGatekeeper()
  nowMs = NOW
  decided = []
  const gatekeeper = gatekeeperClient({ url: server.url, token: server.token })
  const clock = { nowMs: () => nowMs }
  reconciler = new RuleReconciler({ store, gatekeeper, clock, onApplied: () => undefined })
  await reconciler.run()
})
afterEach(async () => {
  await store.close()
  await server[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true })
})

function service(parts: Partial<RuleServiceParts> = {}): RuleService {
  return new RuleService({
    ...{ store, reconciler, neverBlock: NOTHING_PROTECTED, clock: { nowMs: () => nowMs } },
    policy: {
      thresholds: { autoApply: 0.9, review: 0.7 },
      isAutoApplyOn: true,
      appliedPerHourMax: 2,
      timeToLiveMs: TTL_MS,
    },
    onDecided: (rule, { decision }) => decided.push(`${rule.rule_id} ${decision}`),
    ...parts,
  })
}

async function blockedBy(url: string): Promise<string> {
  await reconciler.run()
  return (await server.inspect({ url, body: "", headers: {} })).reason
}

function rule(id: string, fields: Partial<Rule> = {}): Rule {
  const match = { ...someRule().match, pattern: `attack-${id}` }
  return someRule({ rule_id: id, match, ...fields })
}

describe("RuleService", () => {
  test("propose applies a sure rule: Gatekeeper blocks by it, once", async () => {
    expect((await service().propose(rule("a"), ORIGIN)).decision).toBe("auto_applied")
    expect((await service().propose(rule("a"), ORIGIN)).decision).toBe("auto_applied")
    expect(await blockedBy("/?q=attack-a")).toBe("Blocked by rule: a")
    expect(await server.created()).toEqual(["a"])
    expect(decided).toEqual(["a auto_applied"])
  })

  test("propose leaves an unsure rule to a person, whose word then counts", async () => {
    const rules = service()
    await rules.propose(rule("b", { confidence: 0.8 }), ORIGIN)
    expect(await blockedBy("/?q=attack-b")).not.toContain("rule: b")
    await rules.move("b", "approved", REVIEW)
    expect(await blockedBy("/?q=attack-b")).toBe("Blocked by rule: b")
    expect(store.get("b")?.history.map(({ by, state }) => `${by} ${state}`)).toEqual([
      "policy pending_review",
      "ana approved",
      "policy active",
    ])
  })

  test("a rule that a person rejected stays rejected when it is made again", async () => {
    const rules = service()
    await rules.propose(rule("c"), ORIGIN)
    await rules.move("c", "rejected", { by: "ana", note: "breaks the search" })
    const again = await rules.propose(rule("c"), ORIGIN)
    expect(again.decision).toBe("logged_only")
    expect(again.reasons).toContain("breaks the search")
    expect(await blockedBy("/?q=attack-c")).not.toContain("rule: c")
  })

  test("the third sure rule within an hour waits for a person, the one after it is applied", async () => {
    const rules = service()
    const words: string[] = []
    // at once, as three simulations would
    for (const { decision } of await Promise.all(
      ["d1", "d2", "d3"].map((id) => rules.propose(rule(id), ORIGIN)),
    )) {
      words.push(decision)
    }
    expect(words).toEqual(["auto_applied", "auto_applied", "pending_review"])
    await reconciler.run()
    nowMs += 3_600_001
    expect((await rules.propose(rule("d4"), ORIGIN)).decision).toBe("auto_applied")
  })

  test("nothing is applied by itself while Gatekeeper disagrees or is away", async () => {
    await server.fail({ status: 500 })
    await reconciler.run()
    const { decision, reasons } = await service().propose(rule("e"), ORIGIN)
    expect([decision, ...reasons]).toEqual([
      "pending_review",
      "Gatekeeper disagrees about what is active",
    ])
    const alone = await service({ reconciler: undefined }).propose(rule("f"), ORIGIN)
    expect(alone.reasons).toEqual(["no Gatekeeper is configured"])
  })

  test("withdrawAll takes all of them out again", async () => {
    const rules = service()
    for (const id of ["g1", "g2"]) await rules.propose(rule(id), ORIGIN)
    await reconciler.run()
    expect(await rules.withdrawAll(REVIEW)).toBe(2)
    expect(await blockedBy("/?q=attack-g1")).not.toContain("rule:")
    expect(store.inStates(["approved", "active"])).toEqual([])
  })

  test("apply asks the policy again, and with force a person decides", async () => {
    const rules = service()
    await rules.propose(rule("h", { confidence: 0.5 }), ORIGIN)
    const asked = await rules.apply("h")
    expect(asked.decision).toBe("logged_only")
    await rules.apply("h", REVIEW)
    expect(store.get("h")?.history[1]).toMatchObject({ state: "approved", ...REVIEW })
    expect(await blockedBy("/?q=attack-h")).toBe("Blocked by rule: h")
  })

  test("apply without force leaves what a person decided as it is", async () => {
    const rules = service()
    await rules.propose(rule("k"), ORIGIN)
    await rules.move("k", "rejected", REVIEW)
    const asked = await rules.apply("k")
    expect(asked.decision).toBe("logged_only")
    expect(store.get("k")?.state).toBe("rejected")
  })

  test("the policy overrules no person who decides at the same moment", async () => {
    await server.fail({ status: 500 })
    await reconciler.run()
    const rules = service()
    await rules.propose(rule("t"), ORIGIN)
    await rules.propose(rule("u", { confidence: 0.5 }), ORIGIN)
    await server.fail({})
    await reconciler.run()
    const [, asked] = await Promise.all([rules.move("t", "rejected", REVIEW), rules.apply("t")])
    expect([asked.decision, store.get("t")?.state]).toEqual(["logged_only", "rejected"])
    const [, made] = await Promise.all([
      rules.move("u", "rejected", REVIEW),
      rules.propose(rule("u"), ORIGIN),
    ])
    expect([made.decision, store.get("u")?.state]).toEqual(["logged_only", "rejected"])
    expect(await blockedBy("/?q=attack-t")).not.toContain("rule:")
  })

  test("of an approval and a rejection at once the later one counts, and Gatekeeper has that", async () => {
    const rules = service()
    await rules.propose(rule("v", { confidence: 0.8 }), ORIGIN)
    const words = Array.from({ length: 20 }, (_, index) =>
      index % 2 ? ("rejected" as const) : ("approved" as const),
    )
    await Promise.allSettled(words.map((word) => rules.move("v", word, REVIEW)))
    expect(store.get("v")?.history.at(-1)?.state).toBe("rejected")
    expect(await blockedBy("/?q=attack-v")).not.toContain("rule:")
    await rules.move("v", "approved", REVIEW)
    expect(await blockedBy("/?q=attack-v")).toBe("Blocked by rule: v")
  })

  test("a clock that goes back neither applies more rules within the hour nor loses one", async () => {
    const rules = service()
    for (const id of ["w1", "w2"]) await rules.propose(rule(id), ORIGIN)
    await reconciler.run()
    nowMs -= 30 * 86_400_000
    expect((await rules.propose(rule("w3"), ORIGIN)).decision).toBe("pending_review")
    expect(await blockedBy("/?q=attack-w1")).toBe("Blocked by rule: w1")
  })

  test("a rule whose time was over is decided about again, one that a person ended is not", async () => {
    const rules = service()
    await rules.propose(rule("l", { expires_at: new Date(NOW + 1_000).toISOString() }), ORIGIN)
    nowMs = NOW + 2_000
    await reconciler.run()
    expect(store.get("l")?.state).toBe("expired")
    await rules.propose(rule("l"), ORIGIN)
    expect(store.get("l")).toMatchObject({ state: "approved", rule: rule("l") })
    await rules.move("l", "expired", REVIEW)
    expect((await rules.propose(rule("l"), ORIGIN)).decision).toBe("logged_only")
    expect(store.get("l")?.state).toBe("expired")
  })

  test("what is approved after its time was over lives once more", async () => {
    const rules = service()
    const expiresAt = new Date(NOW + 1_000).toISOString()
    await rules.propose(rule("m", { confidence: 0.8, expires_at: expiresAt }), ORIGIN)
    nowMs = NOW + 2_000
    await rules.move("m", "approved", REVIEW)
    expect(await blockedBy("/?q=attack-m")).toBe("Blocked by rule: m")
    expect(store.get("m")?.rule.expires_at).toBe(new Date(nowMs + TTL_MS).toISOString())
  })

  test("a proven rule takes the place of the same one without a proof", async () => {
    const rules = service()
    const unproven = { ...someRule().audit, simulated: false }
    const proposed = await rules.propose(rule("n", { audit: unproven }), ORIGIN)
    expect(proposed.reasons).toEqual(["no simulation that Sentinel ran confirms it"])
    expect((await rules.propose(rule("n", { audit: unproven }), ORIGIN)).reasons[0]).toContain(
      "is known",
    )
    expect((await rules.propose(rule("n"), ORIGIN)).decision).toBe("auto_applied")
    expect(await blockedBy("/?q=attack-n")).toBe("Blocked by rule: n")
  })

  test("a rule that was only logged is decided about again once more speaks for it", async () => {
    const rules = service()
    await rules.propose(rule("q", { confidence: 0.5 }), ORIGIN)
    expect((await rules.propose(rule("q", { confidence: 0.4 }), ORIGIN)).decision).toBe(
      "logged_only",
    )
    expect(store.get("q")?.rule.confidence).toBe(0.5)
    await rules.propose(rule("q"), ORIGIN)
    expect(await blockedBy("/?q=attack-q")).toBe("Blocked by rule: q")
  })

  test("apply remembers what the never-block list said of where the payload came from", async () => {
    const rules = service({ neverBlock: parseNeverBlock("address 192.0.2.0/24") })
    const made = await rules.propose(rule("r"), { ...ORIGIN, address: "192.0.2.7" })
    expect(made.reasons).toEqual(["the addresses 192.0.2.0/24 are never blocked"])
    expect((await rules.apply("r")).decision).toBe("logged_only")
    await rules.move("r", "approved", REVIEW)
    expect(await blockedBy("/?q=attack-r")).toBe("Blocked by rule: r")
  })

  test("apply with force says so where the state leads nowhere", async () => {
    await store.add({ rule: rule("s"), state: "replaced", history: [] })
    await expect(service().apply("s", REVIEW)).rejects.toThrow(RuleStateError)
  })

  test("not even a person approves what must never be blocked", async () => {
    const neverBlock = parseNeverBlock("path /attack-o")
    const rules = service({ neverBlock })
    expect((await rules.propose(rule("o"), ORIGIN)).decision).toBe("logged_only")
    await expect(rules.move("o", "approved", REVIEW)).rejects.toThrow(RuleProtectedError)
    const forced = rules.apply("o", REVIEW)
    await expect(forced).rejects.toThrow(RuleProtectedError)
    expect(store.get("o")?.state).toBe("logged_only")
  })

  test("withdrawProtected takes out what the never-block list protects by now, and nothing else", async () => {
    for (const id of ["x1", "x2"]) await service().propose(rule(id), ORIGIN)
    await reconciler.run()
    const rules = service({ neverBlock: parseNeverBlock("path /attack-x1") })
    expect(await rules.withdrawProtected()).toBe(1)
    expect(await blockedBy("/?q=attack-x1")).not.toContain("rule:")
    expect(await blockedBy("/?q=attack-x2")).toBe("Blocked by rule: x2")
    expect(store.get("x1")?.history.at(-1)?.note).toBe("the path /attack-x1 is never blocked")
    expect((await rules.propose(rule("x1"), ORIGIN)).decision).toBe("logged_only")
  })

  test("propose refuses an unsafe pattern, move an unknown rule and a senseless state", async () => {
    const unsafe = rule("i", { match: { ...someRule().match, pattern: "a.*b" } })
    expect(() => service().propose(unsafe, ORIGIN)).toThrow(RuleRefusedError)
    await expect(service().move("nobody", "approved", REVIEW)).rejects.toThrow(RuleUnknownError)
    await service().propose(rule("j"), ORIGIN)
    await expect(service().move("j", "pending_review", REVIEW)).rejects.toThrow(RuleStateError)
  })

  test("a rule that is applied takes the place of those that it makes needless, one that waits does not", async () => {
    const rules = service()
    const better = { ...someRule().match, pattern: "attack-old|attack-new" }
    await rules.propose(rule("old"), ORIGIN)
    await rules.propose(rule("better", { match: better, confidence: 0.8 }), ORIGIN)
    expect(store.get("old")?.state).not.toBe("replaced")
    await rules.move("better", "approved", REVIEW)
    expect(await blockedBy("/?q=attack-old")).toBe("Blocked by rule: better")
    expect(store.get("old")?.state).toBe("replaced")
    expect(store.get("old")?.history.at(-1)?.note).toBe("better covers it")
    expect(reconciler.isDrifting).toBe(false)
    expect(store.get("better")?.rule.audit.replaces).toEqual(["old"])
    expect(await blockedBy("/?q=attack-old")).toBe("Blocked by rule: better")
  })
})
