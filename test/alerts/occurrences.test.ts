import { describe, expect, test } from "bun:test"
import { taskOccurrences, verdictOccurrence } from "../../src/alerts/occurrences.ts"
import type { PredictionDocument, Verdict } from "../../src/events.ts"
import type { CompletedJob, RecordedTask } from "../../src/simulation-result.ts"
import { explainedVerdict } from "../store/verdicts.ts"
import { someRule } from "../support/some-rule.ts"

const base = explainedVerdict("event-1").verdict
const tools = (...names: string[]) => ({ ...base.profile, tool_signatures: names })
const prediction = (word: string, confidence: number): PredictionDocument => ({
  ...{ payload_id: "p0", payload_value: "<script>secret", location: "query:q", method: "ml" },
  ...{ class: word, confidence },
})
const occurrence = (fields: Partial<Verdict>) =>
  verdictOccurrence({ ...base, final_score: 0.9, ...fields }, 0.75)

describe("verdictOccurrence", () => {
  test.each([
    ["simulate", 0.75, true],
    ["tag", 0.75, true],
    ["tag", 0.7499, false],
    ["benign", 1, false],
  ] as const)("of a verdict %s with score %d: %p", (verdict, final_score, isWorth) => {
    expect(occurrence({ verdict, final_score }) !== undefined).toBe(isWorth)
  })

  test.each([
    [tools("curl", "sqlmap"), [prediction("xss", 1)], "sqlmap", "tool"],
    [tools("wordlist-scanner"), [], "wordlist-scanner", "tool"],
    [
      tools("curl"),
      [prediction("xss", 0.7), prediction("sql_injection", 0.9), prediction("benign", 1)],
      ...(["sql_injection", "attack_class"] as const),
    ],
    [tools("curl"), [prediction("benign", 1)], "unknown", "intent"],
  ] as const)(
    "names a campaign by tool, class or intent (%#)",
    (profile, predictions, name, by) => {
      const campaign = occurrence({ profile, payload_predictions: predictions })?.campaign
      expect(campaign).toEqual({ name, by })
    },
  )

  test.each([
    ["203.0.113.9", "203.0.113.9"],
    ["2001:DB8::1", "2001:db8::1"],
    ["Scanner-7.example.org", "scanner-7.example.org"],
    ["<b>203.0.113.9</b>", undefined],
    ["a".repeat(254), undefined],
    ["", undefined],
  ])("takes %j for the attacker %p", (attacker_ip, attacker) => {
    expect(occurrence({ context: { ...base.context, attacker_ip } })?.attacker).toBe(attacker)
  })
})

describe("taskOccurrences", () => {
  const completed = (verdict: string, exploit_score: number) =>
    ({
      ...{ simulation_id: `sim-${exploit_score}`, session_id: "session-1", event_id: "event-1" },
      result: { verdict, exploit_score, severity: 8, techniques: ["T1190"] },
    }) as unknown as CompletedJob
  const decided = (rule_id: string, decision: "auto_applied" | "pending_review" | "logged_only") =>
    ({ rule: someRule({ rule_id }), decision, reasons: [] }) as const
  const task = {
    ...{ eventId: "event-1", sessionId: "session-1", priority: 9, eventTimeMs: 0 },
    verdict: { ...base, profile: tools("sqlmap") },
  }
  const recorded: RecordedTask = {
    task,
    completed: [
      completed("exploit_possible", 0.9),
      completed("exploit_possible", 0.5),
      completed("exploit_improbable", 0.99),
    ],
    rules: [
      decided("a", "auto_applied"),
      decided("b", "pending_review"),
      decided("c", "logged_only"),
    ],
  }

  test("taskOccurrences tells of proven exploits and of rules that matter, in the session's campaign", () => {
    const found = taskOccurrences(recorded, 0.75)
    expect(found.map(({ word, id }) => [word, id])).toEqual([
      ["exploit_possible", "sim-0.9"],
      ["auto_applied", "a"],
      ["pending_review", "b"],
    ])
    expect(new Set(found.map(({ campaign }) => campaign.name))).toEqual(new Set(["sqlmap"]))
    expect(found.map(({ severity }) => severity)).toEqual([8, 9, 9])
  })

  test("taskOccurrences leaves out what a person asked for", () => {
    const { verdict: _, ...asked } = task
    expect(taskOccurrences({ ...recorded, task: asked }, 0.75)).toEqual([])
  })
})
