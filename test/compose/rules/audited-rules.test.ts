import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { auditedRules } from "../../../src/compose/rules/audited-rules.ts"
import { UnavailableError } from "../../../src/errors.ts"
import { createLogger } from "../../../src/log.ts"
import type { RuleStore } from "../../../src/ports/rules.ts"
import type { AuditLog } from "../../../src/ports/sandbox.ts"
import type { StoredRule } from "../../../src/rule.ts"
import { moved } from "../../../src/rules/policy/rule-states.ts"
import { openRuleStore } from "../../../src/store/rule-store.ts"
import { someRule } from "../../support/some-rule.ts"

let directory: string
let store: RuleStore
let lines: string[]
const log = createLogger({ nowMs: () => 0, write: (line) => lines.push(line) })
const move = { state: "pending_review", by: "policy", note: "unsure", nowMs: 0 } as const
const made: StoredRule = moved({ rule: someRule(), state: "pending_review", history: [] }, move)
const ID = made.rule.rule_id

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "rules-"))
  store = openRuleStore(directory)
  lines = []
})
afterEach(async () => {
  await store.close()
  rmSync(directory, { recursive: true })
})

function audited(isBroken = false) {
  const entries: unknown[] = []
  const audit: Pick<AuditLog, "append"> = {
    async append(type, data) {
      if (isBroken) throw new UnavailableError("the audit log")
      entries.push([type, data])
      return { sequence: 1, timestamp: "", event_type: type, data, previous: "", hash: "" }
    },
  }
  return { rules: auditedRules(store, { audit, log }), entries }
}

describe("auditedRules", () => {
  test("each state is chained once, from the digest of the evidence to who decided", async () => {
    const { rules, entries } = audited()
    await rules.add(made)
    await rules.add(made)
    await rules.update(ID, () => undefined)
    await rules.update(ID, (held) =>
      moved(held, { state: "approved", by: "ana", note: "seen", nowMs: 1 }),
    )
    const story = {
      ...{ rule_id: ID, confidence: 0.95, simulation_id: "sim-1", event_id: "event-1" },
      evidence_sha256: "0".repeat(64),
    }
    expect(entries).toEqual([
      ["rule", { ...story, state: "pending_review", by: "policy", note: "unsure" }],
      ["rule", { ...story, state: "approved", by: "ana", note: "seen" }],
    ])
  })

  test("a log that cannot be written keeps no rule from being taken out, and is reported", async () => {
    const { rules } = audited(true)
    await rules.add(made)
    const out = { state: "rejected", by: "ana", note: "", nowMs: 1 } as const
    expect((await rules.update(ID, (held) => moved(held, out))).state).toBe("rejected")
    expect(lines).toHaveLength(2)
    expect(lines[0]).toContain("UNAVAILABLE")
  })
})
