/** Alerts: what is told to people of a campaign against the honeypot, what it is grouped from, the ports. */

/**
 * opened: the first occurrence, at once. updated: more of the same, from time to time.
 * closed: the campaign was quiet, or lasted so long that another alert follows it.
 */
export const ALERT_STATUSES = ["opened", "updated", "closed"] as const
export type AlertStatus = (typeof ALERT_STATUSES)[number]

/** What may be told of: verdicts, a proven exploit, decisions about rules. */
export type AlertWord = "simulate" | "tag" | "exploit_possible" | "auto_applied" | "pending_review"

/** Sessions of one tool; without one, of one kind of attack. Fixed words only. */
export interface Campaign {
  /** e.g. `sqlmap`, `sql_injection`, `credential_access`. */
  readonly name: string
  readonly by: "tool" | "attack_class" | "intent"
}

/** One verdict, proven exploit or rule that is worth an alert. */
export interface AlertOccurrence {
  readonly word: AlertWord
  /** Of the event, simulation or rule: the same one twice counts once. */
  readonly id: string
  readonly sessionId: string
  /** An address or host name; undefined where nobody knows it. */
  readonly attacker: string | undefined
  readonly campaign: Campaign
  /** 0..1; undefined for a rule. */
  readonly score: number | undefined
  /** 0..10; undefined for a verdict. */
  readonly severity: number | undefined
  /** MITRE ATT&CK technique ids. */
  readonly techniques: readonly string[]
}

/** Occurrences of one attacker and campaign, since its alert was opened. */
export interface AlertGroup {
  /** Of attacker and campaign: the same for each alert about them. */
  readonly key: string
  /** Of this alert of this process. */
  readonly id: string
  /** undefined where nobody knows it, or it is many. */
  readonly attacker: string | undefined
  readonly isDistributed: boolean
  readonly campaign: Campaign
  /** Epoch milliseconds, as all times here. */
  readonly openedMs: number
  readonly lastSeenMs: number
  readonly toldMs: number
  /** How often it was told of. */
  readonly told: number
  /** True where something came since. */
  readonly hasNews: boolean
  /** True where that is the alert's first proven exploit, or its first rule that was applied. */
  readonly isUrgent: boolean
  readonly counts: Readonly<Record<AlertWord, number>>
  readonly sessions: Sampled
  readonly attackers: Sampled
  /** Ids of the rules that were made. */
  readonly rules: Sampled
  readonly techniques: readonly string[]
  readonly scoreMax: number
  readonly severityMax: number
}

/** How many there were, and the first of them. */
export interface Sampled {
  readonly count: number
  readonly first: readonly string[]
}

/** The wire form (docs/ALERTS.md). All text is fixed words, ids and addresses: no part of a payload. */
export interface Alert {
  /** Unique: a repeated delivery has the same. */
  readonly event_id: string
  /** ISO 8601, as all times here. */
  readonly timestamp: string
  readonly source: "sentinel"
  readonly event_type: "alert"
  /** "test": asked for by `./sentinel alerts test`. */
  readonly status: AlertStatus | "test"
  /** Of attacker, campaign and UTC day of the opening: the same from opened to closed, in every process. */
  readonly alert_id: string
  /** The same for every alert about this attacker and campaign. */
  readonly group_key: string
  /** 1, 2, ... of one process, from opened to closed. */
  readonly sequence: number
  /** One line for people. */
  readonly text: string
  readonly attacker: string | null
  readonly attackers: Sampled
  readonly campaign: Campaign
  readonly first_seen: string
  readonly last_seen: string
  readonly sessions: Sampled
  readonly verdicts: { readonly simulate: number; readonly tag: number }
  readonly exploits_proven: number
  readonly rules: Sampled & { readonly auto_applied: number; readonly pending_review: number }
  readonly techniques: readonly string[]
  /** 0..1: the highest score of a verdict or an exploit. */
  readonly score_max: number
  /** 0..10: of what was proven; 0 while nothing was. */
  readonly severity_max: number
}

/** Remembers what belongs to a group, so that the same twice counts once. */
export interface GroupMemory {
  /** True the first time. */
  readonly isNew: (groupId: string, thing: string) => boolean
}

/** What one round of grouping leaves behind. */
export interface AlertRound {
  /** Opened or changed. */
  readonly groups: readonly AlertGroup[]
  /** Those that are over. */
  readonly closed: readonly AlertGroup[]
  /** To be delivered to every target. */
  readonly alerts: readonly Alert[]
}

/** An alert that waits for its delivery. */
export interface QueuedAlert {
  readonly alert: Alert
  /** Epoch milliseconds. */
  readonly queuedMs: number
}

/** Open groups and alerts that are not delivered yet, through any crash. */
export interface AlertStore {
  /** Those that are open, as of the last round. */
  groups(): readonly AlertGroup[]
  /**
   * Runs `work` alone with the store and keeps what it answers, all or none; resolves once durable.
   * The memory of a group is kept until that is closed. @throws UnavailableError
   */
  round(work: (memory: GroupMemory) => AlertRound): Promise<AlertRound>
  /** The one to be delivered next; undefined where none waits. */
  next(target: string): QueuedAlert | undefined
  /** The alert is delivered or given up; one that took its place meanwhile stays. */
  settle(target: string, eventId: string): Promise<void>
  /** Alerts that wait. */
  waiting(target: string): number
  /** Alerts that were given up because too many waited, since the store was opened. */
  readonly dropped: number
  close(): Promise<void>
}

/** What became of one try to deliver: an answer like any other, and no error. */
export type AlertDelivery =
  | { readonly outcome: "delivered" }
  /** Not now. `afterMs`: not before, says the receiver. */
  | { readonly outcome: "retry"; readonly code: string; readonly afterMs?: number }
  /** The receiver has something against this alert, and not against all. */
  | { readonly outcome: "refused"; readonly code: string }

/** Where alerts go. */
export interface AlertTarget {
  readonly name: string
  /** One try. Rejects only when the signal ends it. */
  deliver(alert: Alert, signal: AbortSignal): Promise<AlertDelivery>
  close(): Promise<void>
}
