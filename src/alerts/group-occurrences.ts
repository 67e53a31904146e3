import type {
  AlertGroup,
  AlertOccurrence,
  AlertStatus,
  AlertWord,
  GroupMemory,
  Sampled,
} from "../alert.ts"

export interface GroupingLimits {
  /** Between two updates of one alert, at least; what is urgent does not wait. */
  readonly updateMs: number
  /** Without an occurrence for so long, an alert is closed. */
  readonly quietMs: number
  /** The longest life of an alert. */
  readonly lifeMs: number
  /** Attackers of one campaign with an alert each; all further ones share one. */
  readonly attackersMax: number
}

export const DEFAULT_LIFE_MS = 24 * 3_600_000
export const DEFAULT_ATTACKERS_MAX = 5

/** A group as it is now, and how it is to be told of, if at all. */
export interface GroupChange {
  readonly group: AlertGroup
  readonly status: AlertStatus | undefined
}

/** The first of each is told of without a wait: what was tried now works, or is now blocked. */
const URGENT: readonly AlertWord[] = ["exploit_possible", "auto_applied"]
const SAMPLES_MAX = 20
const TECHNIQUES_MAX = 50
const ID_CHARACTERS_MAX = 200

/**
 * Folds one occurrence into its group: opens one, which is told of at once, or counts on, which is
 * told of when `due` says so. Groups are as many as campaigns (fixed words) times `attackersMax` + 1.
 *
 * @param open every open group, by key
 */
export function foldOccurrence(
  occurrence: AlertOccurrence,
  {
    open,
    memory,
    nowMs,
    attackersMax,
  }: {
    readonly open: ReadonlyMap<string, AlertGroup>
    readonly memory: GroupMemory
    readonly nowMs: number
    readonly attackersMax: number
  },
): GroupChange | undefined {
  const own = newGroup(occurrence, { nowMs, isDistributed: false })
  const isOneTooMany = !open.has(own.key) && attackersOf(occurrence, open) >= attackersMax
  const group = isOneTooMany ? newGroup(occurrence, { nowMs, isDistributed: true }) : own
  const held = open.get(group.key) ?? group
  if (!memory.isNew(held.id, `${occurrence.word}:${occurrence.id}`)) return undefined
  const counted = count(held, occurrence, memory)
  const isFirst = URGENT.includes(occurrence.word) && held.counts[occurrence.word] === 0
  const isUrgent = held.isUrgent || isFirst
  const seen = { ...counted, lastSeenMs: nowMs, hasNews: true, isUrgent }
  return held === group ? told(seen, "opened", nowMs) : { group: seen, status: undefined }
}

/** What is to be told of a group because time went by; undefined = nothing. */
export function due(
  group: AlertGroup,
  nowMs: number,
  { updateMs, quietMs, lifeMs }: GroupingLimits,
): GroupChange | undefined {
  const isQuiet = nowMs - group.lastSeenMs >= quietMs
  if (isQuiet || nowMs - group.openedMs >= lifeMs) return told(group, "closed", nowMs)
  return group.isUrgent || (group.hasNews && nowMs - group.toldMs >= updateMs)
    ? told(group, "updated", nowMs)
    : undefined
}

function told(group: AlertGroup, status: AlertStatus, nowMs: number): GroupChange {
  const quiet = { toldMs: nowMs, hasNews: false, isUrgent: false }
  return { group: { ...group, told: group.told + 1, ...quiet }, status }
}

/** Those that have an alert of their own. */
function attackersOf(
  { campaign: { name, by } }: AlertOccurrence,
  open: ReadonlyMap<string, AlertGroup>,
): number {
  const isOne = ({ campaign, attacker }: AlertGroup) =>
    attacker !== undefined && campaign.name === name && campaign.by === by
  return [...open.values()].filter(isOne).length
}

function newGroup(
  { attacker, campaign, id: occurrenceId }: AlertOccurrence,
  { nowMs, isDistributed }: { readonly nowMs: number; readonly isDistributed: boolean },
): AlertGroup {
  const whom = isDistributed ? "many" : ["one", attacker]
  const key = digestOf([whom, campaign.by, campaign.name]).slice(0, 32)
  const none: Sampled = { count: 0, first: [] }
  // no two processes judge the same occurrence, though they may open at the same time
  const id = `${key}-${nowMs.toString(36)}-${digestOf(occurrenceId).slice(0, 8)}`
  return {
    ...{ key, id, attacker: isDistributed ? undefined : attacker, isDistributed, campaign },
    ...{ openedMs: nowMs, lastSeenMs: nowMs, toldMs: nowMs, told: 0 },
    ...{ hasNews: false, isUrgent: false },
    counts: { simulate: 0, tag: 0, exploit_possible: 0, auto_applied: 0, pending_review: 0 },
    ...{ sessions: none, attackers: none, rules: none, techniques: [] },
    ...{ scoreMax: 0, severityMax: 0 },
  }
}

function digestOf(identity: unknown): string {
  return new Bun.CryptoHasher("sha256").update(JSON.stringify(identity)).digest("hex")
}

function count(group: AlertGroup, occurrence: AlertOccurrence, memory: GroupMemory): AlertGroup {
  const { word, id, sessionId, attacker, score = 0, severity = 0 } = occurrence
  const add = (sampled: Sampled, kind: string, text: string | undefined): Sampled =>
    text !== undefined && memory.isNew(group.id, `${kind}:${text}`)
      ? sample(sampled, text)
      : sampled
  return {
    ...group,
    counts: { ...group.counts, [word]: group.counts[word] + 1 },
    sessions: add(group.sessions, "session", sessionId),
    attackers: add(group.attackers, "attacker", attacker),
    rules: isRule(word) ? add(group.rules, "rule", id) : group.rules,
    techniques: union(group.techniques, occurrence.techniques),
    scoreMax: Math.max(group.scoreMax, score),
    severityMax: Math.max(group.severityMax, severity),
  }
}

function isRule(word: AlertWord): boolean {
  return word === "auto_applied" || word === "pending_review"
}

/** Ids are cut and lose control characters: a producer chose them. */
function sample({ count: known, first }: Sampled, text: string): Sampled {
  const printable = text.replace(/\p{C}/gu, " ").slice(0, ID_CHARACTERS_MAX)
  return { count: known + 1, first: first.length < SAMPLES_MAX ? [...first, printable] : first }
}

function union(known: readonly string[], more: readonly string[]): readonly string[] {
  if (more.every((one) => known.includes(one))) return known
  return [...new Set([...known, ...more])].slice(0, TECHNIQUES_MAX)
}
