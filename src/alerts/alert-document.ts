import type { Alert, AlertGroup, AlertStatus } from "../alert.ts"

/** The alert as it is sent. */
export function alertDocument(group: AlertGroup, status: AlertStatus): Alert {
  const { counts, campaign, techniques } = group
  const { auto_applied, pending_review } = counts
  return {
    event_id: `alert-${group.id}-${group.told}`,
    timestamp: isoTime(group.toldMs),
    ...{ source: "sentinel", event_type: "alert", status },
    ...{ alert_id: alertId(group), group_key: group.key, sequence: group.told },
    text: summary(group, status),
    attacker: group.attacker ?? null,
    attackers: group.attackers,
    campaign,
    first_seen: isoTime(group.openedMs),
    last_seen: isoTime(group.lastSeenMs),
    sessions: group.sessions,
    verdicts: { simulate: counts.simulate, tag: counts.tag },
    exploits_proven: counts.exploit_possible,
    rules: { ...group.rules, auto_applied, pending_review },
    techniques,
    score_max: group.scoreMax,
    severity_max: group.severityMax,
  }
}

/** Several processes that open one on the same day have the same id, and so its receivers one alert. */
function alertId({ key, openedMs }: AlertGroup): string {
  return `${key}-${isoTime(openedMs).slice(0, 10)}`
}

/** An alert about nothing, to see that somebody gets it. */
export function testAlert(nowMs: number): Alert {
  const none = { count: 0, first: [] }
  const timestamp = isoTime(nowMs)
  return {
    event_id: `alert-test-${nowMs.toString(36)}`,
    timestamp,
    ...{ source: "sentinel", event_type: "alert", status: "test" },
    ...{ alert_id: "test", group_key: "test", sequence: 1 },
    text: "a test by Sentinel: whoever reads this is told of its alerts",
    ...{ attacker: null, attackers: none, campaign: { name: "test", by: "intent" } },
    ...{ first_seen: timestamp, last_seen: timestamp, sessions: none },
    ...{ verdicts: { simulate: 0, tag: 0 }, exploits_proven: 0 },
    rules: { ...none, auto_applied: 0, pending_review: 0 },
    ...{ techniques: [], score_max: 0, severity_max: 0 },
  }
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString()
}

function summary(group: AlertGroup, status: AlertStatus): string {
  const { counts, sessions } = group
  const parts = [
    plural(sessions.count, "session"),
    counts.exploit_possible > 0 && `${plural(counts.exploit_possible, "exploit")} proven`,
    counts.auto_applied > 0 && `${plural(counts.auto_applied, "rule")} applied`,
    counts.pending_review > 0 && `${plural(counts.pending_review, "rule")} to review`,
  ].filter((part) => part !== false)
  const ending = status === "closed" ? " (over)" : ""
  return `${group.campaign.name} from ${whom(group)}: ${parts.join(", ")}${ending}`
}

function whom({ attacker, attackers, isDistributed }: AlertGroup): string {
  if (isDistributed) return plural(attackers.count, "further address", "further addresses")
  return attacker ?? "an unknown address"
}

function plural(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`
}
