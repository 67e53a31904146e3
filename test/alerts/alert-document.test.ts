import { expect, test } from "bun:test"
import { alertDocument } from "../../src/alerts/alert-document.ts"
import { someGroup } from "../support/alerts.ts"

const group = someGroup({}, Date.UTC(2026, 0, 2))

test("alertDocument says who, what and how much in one line", () => {
  const { counts } = group
  const busy = {
    ...group,
    counts: { ...counts, exploit_possible: 2, auto_applied: 1, pending_review: 3 },
    sessions: { count: 400, first: [] },
  }
  expect(alertDocument(busy, "updated").text).toBe(
    "sqlmap from 203.0.113.9: 400 sessions, 2 exploits proven, 1 rule applied, 3 rules to review",
  )
  expect(alertDocument(group, "closed").text).toBe("sqlmap from 203.0.113.9: 1 session (over)")
  const many = { ...group, isDistributed: true, attackers: { count: 195, first: [] } }
  expect(alertDocument(many, "opened").text).toStartWith("sqlmap from 195 further addresses: ")
})

test("alertDocument has an id for each telling, and one for all of them", () => {
  const first = alertDocument(group, "opened")
  const second = alertDocument({ ...group, told: 2 }, "updated")
  expect(first.alert_id).toBe(second.alert_id)
  expect(first.event_id).not.toBe(second.event_id)
  expect(first.timestamp).toBe("2026-01-02T00:00:00.000Z")
})

test("alertDocument has the same alert id and other event ids where another process raises it", () => {
  const openedMs = Date.UTC(2026, 0, 2)
  const [here, there, sameMoment] = [
    group,
    someGroup({ id: "event-2" }, openedMs + 3_600_000),
    someGroup({ id: "event-3" }, openedMs),
  ].map((each) => alertDocument(each, "opened"))
  expect(here?.alert_id).toBe(there?.alert_id ?? "")
  expect(new Set([here, there, sameMoment].map((alert) => alert?.event_id)).size).toBe(3)
  const nextDay = alertDocument(someGroup({}, openedMs + 86_400_000), "opened")
  expect(nextDay.alert_id).not.toBe(here?.alert_id ?? "")
  expect(nextDay.group_key).toBe(here?.group_key ?? "")
})
