import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import type { AlertGroup, AlertOccurrence } from "../../src/alert.ts"
import { due, foldOccurrence } from "../../src/alerts/group-occurrences.ts"
import { setMemory, someGroup, someOccurrence } from "../support/alerts.ts"

const limits = { updateMs: 600_000, quietMs: 3_600_000, lifeMs: 86_400_000, attackersMax: 5 }

/** Folds all, at one time each, and answers with the groups and what was told. */
function foldAll(occurrences: readonly AlertOccurrence[], nowMs = 0) {
  const open = new Map<string, AlertGroup>()
  const memory = setMemory()
  const told: string[] = []
  for (const occurrence of occurrences) {
    const change = foldOccurrence(occurrence, { open, memory, nowMs, attackersMax: 5 })
    if (change === undefined) continue
    open.set(change.group.key, change.group)
    if (change.status !== undefined) told.push(change.status)
  }
  return { groups: [...open.values()], told }
}

const session = (index: number, fields: Partial<AlertOccurrence> = {}) =>
  someOccurrence({ id: `event-${index}`, sessionId: `session-${index}`, ...fields })

describe("foldOccurrence", () => {
  test("foldOccurrence makes one alert of 400 sessions of one scanner", () => {
    const { groups, told } = foldAll(Array.from({ length: 400 }, (_, index) => session(index)))
    expect(told).toEqual(["opened"])
    expect(groups).toMatchObject([{ counts: { simulate: 400 }, sessions: { count: 400 } }])
    expect(groups[0]?.sessions.first).toHaveLength(20)
  })

  test("foldOccurrence keeps attackers and campaigns apart", () => {
    const { told } = foldAll([
      session(1),
      session(2, { attacker: "203.0.113.10" }),
      session(3, { campaign: { name: "nikto", by: "tool" } }),
      session(4, { campaign: { name: "sqlmap", by: "intent" } }),
    ])
    expect(told).toHaveLength(4)
  })

  test("foldOccurrence gives all attackers of a campaign after the fifth one alert", () => {
    const spread = Array.from({ length: 400 }, (_, index) =>
      session(index, { attacker: `198.51.100.${index % 200}` }),
    )
    const { groups, told } = foldAll(spread)
    expect(told).toHaveLength(6)
    const many = groups.find(({ isDistributed }) => isDistributed)
    expect(many).toMatchObject({ sessions: { count: 390 }, attackers: { count: 195 } })
    expect(many?.attacker).toBeUndefined()
  })

  test("foldOccurrence counts the same occurrence, session and rule once", () => {
    const rule = { word: "auto_applied", id: "rule-1", score: undefined, severity: 9 } as const
    const { groups } = foldAll([session(1), session(1), session(1, rule), session(2, rule)])
    expect(groups).toMatchObject([
      {
        counts: { simulate: 1, auto_applied: 1 },
        sessions: { count: 1 },
        rules: { count: 1, first: ["rule-1"] },
        ...{ scoreMax: 0.9, severityMax: 9 },
      },
    ])
  })

  test("foldOccurrence cuts ids that a producer made long or unprintable", () => {
    const sessionId = `\u001b[2J\u202e${"x".repeat(10_000)}`
    expect(someGroup({ sessionId }).sessions.first).toEqual([` [2J ${"x".repeat(195)}`])
  })

  test("foldOccurrence keeps a group small, whatever comes", () => {
    const flood = Array.from({ length: 2_000 }, (_, index) =>
      session(index, { techniques: [`T${index}`], attacker: undefined }),
    )
    expect(JSON.stringify(foldAll(flood).groups).length).toBeLessThan(4_000)
  })
})

describe("due", () => {
  const opened = someGroup()

  test.each([
    ["nothing new", opened, 3_599_999, undefined],
    ["news too soon", { ...opened, hasNews: true }, 599_999, undefined],
    ["news in time", { ...opened, hasNews: true }, 600_000, "updated"],
    ["urgent news", { ...opened, hasNews: true, isUrgent: true }, 1_000, "updated"],
    ["quiet", opened, 3_600_000, "closed"],
    ["quiet with news", { ...opened, hasNews: true }, 3_600_000, "closed"],
    ["a long life", { ...opened, lastSeenMs: 86_399_999 }, 86_400_000, "closed"],
  ] as const)("due of a group with %s", (_, group, nowMs, status) => {
    expect(due(group, nowMs, limits)?.status).toBe(status)
  })

  test("due does not wait with the first proof and the first applied rule of an alert", () => {
    const open = new Map<string, AlertGroup>()
    const memory = setMemory()
    const told: (string | undefined)[] = []
    const words = ["simulate", "exploit_possible", "auto_applied"] as const
    for (const [index, word] of [...words, ...words, "pending_review" as const].entries()) {
      const folding = { open, memory, nowMs: index * 1_000, attackersMax: 5 }
      const folded = foldOccurrence(session(index, { word }), folding)
      if (folded === undefined) continue
      const change = due(folded.group, index * 1_000, limits)
      told.push(folded.status ?? change?.status)
      open.set(folded.group.key, change?.group ?? folded.group)
    }
    expect(told).toEqual(["opened", "updated", "updated", ...Array(4).fill(undefined)])
  })

  test("however occurrences fall, updates keep their distance and the last word has the count", () => {
    const gapsMs = fc.array(fc.integer({ min: 0, max: 900_000 }), { minLength: 1, maxLength: 60 })
    fc.assert(
      fc.property(gapsMs, (gaps) => {
        const told = live(gaps)
        const updates = told.filter(({ status }) => status !== "closed")
        const distances = updates
          .slice(1)
          .map(({ atMs }, index) => atMs - (updates[index]?.atMs ?? 0))
        expect(Math.min(...distances, Number.POSITIVE_INFINITY)).toBeGreaterThanOrEqual(600_000)
        expect(told.at(0)?.status).toBe("opened")
        expect(told.at(-1)).toMatchObject({ status: "closed", sessions: gaps.length })
        expect(told.map(({ sequence }) => sequence)).toEqual(told.map((_, index) => index + 1))
      }),
    )
  })
})

/** One campaign, looked at every second, until it is over. */
function live(gaps: readonly number[]) {
  const memory = setMemory()
  const open = new Map<string, AlertGroup>()
  const told: { status: string; atMs: number; sessions: number; sequence: number }[] = []
  const keep = (change: ReturnType<typeof due>, atMs: number) => {
    if (change === undefined) return
    const { group, status } = change
    open.set(group.key, group)
    if (status === "closed") open.delete(group.key)
    if (status === undefined) return
    told.push({ status, atMs, sessions: group.sessions.count, sequence: group.told })
  }
  let nowMs = 0
  const pass = (ms: number) => {
    for (const endMs = nowMs + ms; nowMs < endMs; ) {
      nowMs = Math.min(endMs, nowMs + 30_000)
      for (const group of open.values()) keep(due(group, nowMs, limits), nowMs)
    }
  }
  for (const [index, gapMs] of gaps.entries()) {
    keep(foldOccurrence(session(index), { open, memory, nowMs, attackersMax: 5 }), nowMs)
    if (index < gaps.length - 1) pass(gapMs)
  }
  pass(3_700_000)
  return told
}
