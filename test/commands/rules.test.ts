import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { hostname, tmpdir } from "node:os"
import { join } from "node:path"
import { runCommandLine } from "../../src/commands/program.ts"
import type { Rule, RuleState } from "../../src/rule.ts"
import { gatekeeperClient } from "../../src/services/gatekeeper-client.ts"
import { dataDirectoryPaths, ownDataDirectory } from "../../src/store/data-directory.ts"
import { openRuleStore } from "../../src/store/rule-store.ts"
import { startGatekeeper, type TestGatekeeper } from "../support/gatekeeper/gatekeeper.ts"
import { someRule } from "../support/some-rule.ts"
import { recordTerminal } from "../support/terminal.ts"

/** Without a server of Sentinel, and with a real Gatekeeper. */

const FAR = "2999-01-01T00:00:00.000Z"
let directory: string
let gatekeeper: TestGatekeeper
let user: { readonly USER?: string }

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "rules-"))
  ownDataDirectory(directory).release()
  gatekeeper = await startGatekeeper()
  user = { USER: "bob" }
})
afterEach(async () => {
  await gatekeeper[Symbol.asyncDispose]()
  rmSync(directory, { recursive: true })
})

async function run(...args: readonly string[]) {
  const terminal = recordTerminal({
    ...{ SENTINEL_DATA_DIR: directory, SENTINEL_SANDBOX: "none", ...user },
    ...{ GATEKEEPER_API_URL: gatekeeper.url, GATEKEEPER_API_TOKEN: gatekeeper.token },
  })
  const exitCode = await runCommandLine(["rules", ...args], terminal)
  return { exitCode, out: terminal.written(), err: terminal.noted() }
}

async function keep(id: string, state: RuleState, fields: Partial<Rule> = {}) {
  const store = openRuleStore(dataDirectoryPaths(directory).store)
  const match = { ...someRule().match, pattern: `attack-${id}` }
  const rule = someRule({ rule_id: id, match, expires_at: FAR, ...fields })
  const at = "2026-01-02T03:04:05.000Z"
  await store.add({ rule, state, history: [{ state, at, by: "policy", note: "first" }] })
  await store.close()
}

async function reasonFor(id: string): Promise<string> {
  const { reason } = await gatekeeper.inspect({ url: `/?q=attack-${id}`, body: "", headers: {} })
  return reason
}

describe("rules", () => {
  test("list shows each rule on a line, nothing that a terminal obeys, and filters by state", async () => {
    expect((await run("list")).out).toBe("no rules\n")
    const evil = { ...someRule().evidence, sample_payloads: ["x\u001b[2J"] }
    await keep("a", "pending_review", { evidence: evil })
    await keep("b", "rejected")
    const { out } = await run("list")
    expect(out.trim().split("\n")).toHaveLength(3)
    expect(out).toContain("x\\u001b[2J")
    const json = (await run("list", "--state", "rejected", "--json")).out.trim().split("\n")
    expect(json.map((line) => JSON.parse(line).rule_id)).toEqual(["b"])
    expect(await run("list", "--state", "on")).toMatchObject({ exitCode: 2, out: "" })
  })

  test("show prints what a rule was made from, what was measured and who decided", async () => {
    await keep("a", "pending_review")
    const { out } = await run("show", "a")
    for (const text of ["attack-a", "19 of 20 unseen", "100000 generated", "policy: first"]) {
      expect(out).toContain(text)
    }
    const stored = JSON.parse((await run("show", "a", "--json")).out)
    expect(stored).toMatchObject({ rule: { rule_id: "a" }, state: "pending_review" })
    expect((await run("show", "b")).exitCode).toBe(1)
  })

  test("show says in words what a rule matches and what lowers its confidence, and cuts the pattern", async () => {
    const { audit, match } = someRule()
    const confidence = [
      { reason: "an exploit", value: 0.99 },
      { reason: "62 of 80 unseen relatives are matched", value: 0.00001 },
      { reason: "0 of 9 benign requests are matched", value: 0.000009 },
    ]
    const pattern = `head${"x".repeat(3_000)}`
    await keep("a", "pending_review", {
      ...{ match: { ...match, pattern }, audit: { ...audit, confidence }, confidence: 0.000009 },
    })
    const { out } = await run("show", "a")
    expect(out).toContain("0.0000, lowered most by: 62 of 80 unseen relatives are matched")
    expect(out).toContain("keyword, keyword")
    expect(out).toMatch(/why +first/)
    expect(out).toContain("(3004 characters: --json)")
    expect(out.indexOf("unseen relatives")).toBeLessThan(out.indexOf("headx"))
    expect(JSON.parse((await run("show", "a", "--json")).out).rule.match.pattern).toBe(pattern)
  })

  test("approve has Gatekeeper enforce a rule, reject takes it out, both under a name", async () => {
    await keep("a", "pending_review")
    const approved = await run("approve", "a", "--reviewer", "ana", "--note", "seen it")
    expect(approved).toMatchObject({ exitCode: 0, out: "a is active\n" })
    expect(await reasonFor("a")).toBe("Blocked by rule: a")
    expect((await run("reject", "a")).out).toBe("a is rejected\n")
    expect(await reasonFor("a")).not.toContain("rule: a")
    const { out } = await run("show", "a")
    expect(out).toContain("approved by ana: seen it")
    expect(out).toContain("rejected by bob")
    expect(await run("expire", "a")).toMatchObject({ exitCode: 1 })
  })

  test("reject asks for --reviewer where nobody knows who decides", async () => {
    await keep("a", "pending_review")
    user = {}
    const refused = await run("reject", "a")
    expect(refused).toMatchObject({ exitCode: 1, out: "" })
    expect(refused.err).toContain("--reviewer")
    expect((await run("reject", "a", "--reviewer", "ana")).out).toBe("a is rejected\n")
  })

  test("show, apply, reject and test take nothing but an id for an id", async () => {
    for (const id of ["", ".", "..", "a b", "\u001b[2J", "x".repeat(129)]) {
      for (const command of [["show"], ["apply"], ["reject"], ["test", "-", "--rule"]]) {
        expect(await run(...command, id)).toMatchObject({ exitCode: 2, out: "" })
      }
    }
  })

  test("withdraw --all takes the rules of Sentinel out, those of others stay", async () => {
    for (const id of ["a", "b"]) await keep(id, "approved")
    expect((await run("drift")).exitCode).toBe(0)
    expect(await reasonFor("b")).toBe("Blocked by rule: b")
    expect((await run("withdraw")).exitCode).toBe(2)
    expect((await run("withdraw", "--all")).out).toBe("2 rules withdrawn\n")
    expect(await reasonFor("b")).not.toContain("rule: b")
  })

  test("withdraw --all needs no name: without one it is kept under that of the host", async () => {
    await keep("a", "approved")
    await run("drift")
    user = { USER: "" }
    expect((await run("withdraw", "--all")).out).toBe("1 rules withdrawn\n")
    expect(await reasonFor("a")).not.toContain("rule: a")
    expect((await run("show", "a")).out).toContain(`expired by unnamed@${hostname()}`)
  })

  test("withdraw --all and reject do not say that it is done while Gatekeeper still blocks", async () => {
    for (const id of ["a", "b", "c"]) await keep(id, "approved")
    await run("drift")
    await keep("d", "pending_review")
    await gatekeeper.fail({ status: 500 })
    const approved = await run("approve", "d")
    expect(approved.out).toStartWith("d is approved\ndecided; not enforced yet")
    await run("reject", "d")
    const rejected = await run("reject", "c")
    expect(rejected.exitCode).toBe(1)
    expect(rejected.out).toContain("decided; 1 may still be enforced: Gatekeeper does not answer")
    const withdrawn = await run("withdraw", "--all")
    expect(withdrawn.exitCode).toBe(1)
    expect(withdrawn.out).toStartWith("2 rules withdrawn\ndecided; 2 may still be enforced")
    expect(await run("withdraw", "--all")).toMatchObject({ exitCode: 1 })
    await gatekeeper.fail({})
    expect(await reasonFor("a")).toBe("Blocked by rule: a")
    expect(await run("withdraw", "--all")).toMatchObject({
      exitCode: 0,
      out: "0 rules withdrawn\n",
    })
    for (const id of ["a", "b", "c"]) expect(await reasonFor(id)).not.toContain("rule:")
  })

  test("export prints the decided rules for another WAF, or those of a state", async () => {
    await keep("a", "active")
    await keep("b", "pending_review")
    const decided = await run("export", "--format", "seclang")
    expect(decided.out).toContain("msg:'Sentinel a'")
    expect(decided.out).not.toContain("msg:'Sentinel b'")
    const waiting = await run("export", "--state", "pending_review")
    expect(waiting.out).toContain("msg:'Sentinel b'")
    expect(await run("export", "--format", "yaml")).toMatchObject({ exitCode: 2 })
  })

  test("test holds the decided rules, or the one that is named, against lines of traffic", async () => {
    await keep("a", "active")
    await keep("b", "pending_review")
    const file = join(directory, "access.log")
    await Bun.write(file, "/?q=attack-b\n\n/?q=attack-a\u001b[2J\n/?q=good\n")
    expect(await run("test", file)).toEqual({
      exitCode: 1,
      out: "3: a (block): /?q=attack-a\\u001b[2J\n",
      err: "1 of 3 lines matched; rules tried: 1\n",
    })
    const named = await run("test", file, "--rule", "b", "--json")
    expect(JSON.parse(named.out)).toEqual({
      ...{ line: 1, rule_id: "b", action: "block", ways: [1, 1], text: "/?q=attack-b" },
    })
    await Bun.write(file, "/?q=good\n")
    expect(await run("test", file)).toMatchObject({ exitCode: 0, out: "" })
    expect(await run("test", file, "--rule", "c")).toMatchObject({ exitCode: 1, out: "" })
    expect((await run("test", join(directory, "none"))).err).toContain("FILE_UNREADABLE")
  })

  test("test reads a line as a request or a value, and finds what Gatekeeper blocks", async () => {
    const match = { ...someRule().match, pattern: "[=\"]O'Brien" }
    await keep("a", "active", { match })
    await run("drift")
    const file = join(directory, "lines")
    const request = { url: "/", body: '{"q":"O\'Brien"}', headers: { "x-a": "b" } }
    await Bun.write(file, `${JSON.stringify({ method: "POST", ...request })}\n`)
    expect((await run("test", file, "--as", "request")).exitCode).toBe(1)
    expect((await gatekeeper.inspect(request)).reason).toBe("Blocked by rule: a")
    await Bun.write(file, "O'Brien\n")
    expect((await run("test", file, "--as", "value")).out).toStartWith(
      "1: a (block, sent in 4 of 4 ways): O'Brien",
    )
    expect((await run("test", file, "--as", "request")).err).toContain("line 1: expected JSON")
    expect((await run("test", file, "--as", "har")).exitCode).toBe(2)
  })

  test("drift names what Gatekeeper forgot, heals it, names what is of another, and says so when nobody answers", async () => {
    await keep("a", "active")
    const forgot = await run("drift")
    expect(forgot).toMatchObject({ exitCode: 1, out: "missing   a\nhealed\n" })
    expect(await run("drift")).toEqual({
      ...{ exitCode: 0, out: "Gatekeeper holds what is decided\n", err: "" },
    })
    const { url, token } = gatekeeper
    await gatekeeperClient({ url, token }).create(someRule({ rule_id: "by-hand" }))
    expect(await run("drift")).toMatchObject({
      exitCode: 0,
      out: "foreign   by-hand (not of this Sentinel, left alone)\nGatekeeper holds what is decided\n",
    })
    await gatekeeper.fail({ status: 500 })
    const down = await run("drift")
    expect(down).toMatchObject({ exitCode: 1, out: "Gatekeeper does not answer\n" })
  })

  test("apply asks the policy about a rule that waits, and with --force decides", async () => {
    await keep("a", "pending_review")
    await keep("b", "logged_only", { confidence: 0.4 })
    expect((await run("apply", "a")).out).toBe("a: auto_applied, confidence of at least 0.9\n")
    expect((await run("apply", "b")).out).toBe("b: logged_only, confidence below 0.7\n")
    await run("apply", "b", "--force")
    expect(await reasonFor("b")).toBe("Blocked by rule: b")
    expect((await run("show", "b")).out).toContain("approved by bob: a person decided it")
    await keep("c", "logged_only", { confidence: 0.4 })
    user = {}
    expect((await run("apply", "c")).exitCode).toBe(0)
    expect((await run("apply", "c", "--force")).err).toContain("--reviewer")
    await run("apply", "c", "--force", "--reviewer", "ana", "--note", "seen it")
    expect((await run("show", "c")).out).toContain("approved by ana: seen it")
  })
})
