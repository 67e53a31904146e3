import type { RuleState, StoredRule } from "../../rule.ts"

const HISTORY_MAX = 50
const NOTE_CHARACTERS_MAX = 500

/** What may follow each state. */
const NEXT: Readonly<Record<RuleState, readonly RuleState[]>> = {
  pending_review: ["approved", "rejected", "expired", "replaced"],
  logged_only: ["approved", "rejected", "expired", "replaced"],
  approved: ["active", "rejected", "expired", "replaced"],
  active: ["rejected", "expired", "replaced"],
  // a person may think better of it
  rejected: ["approved"],
  expired: ["approved"],
  replaced: [],
}

export interface Move {
  readonly state: RuleState
  /** `policy`, or who a person said to be. */
  readonly by: string
  readonly note: string
  readonly nowMs: number
}

export function mayMove(from: RuleState, to: RuleState): boolean {
  return NEXT[from].includes(to)
}

/** True where neither a person nor the policy has decided for or against it. */
export function isUndecided(state: RuleState): boolean {
  return state === "pending_review" || state === "logged_only"
}

/**
 * True where the same rule, made again, is to be decided about again: its time was over, or it was
 * made without a proof and nobody wanted it so far.
 */
export function isOpenAgain({ rule, state, history }: StoredRule): boolean {
  if (state === "expired") return history.at(-1)?.by === "policy"
  return !rule.audit.simulated && isUndecided(state)
}

/** The rule in another state, with the move at the end of its history. */
export function moved(stored: StoredRule, { state, by, note, nowMs }: Move): StoredRule {
  const move = {
    state,
    at: new Date(nowMs).toISOString(),
    by,
    note: note.slice(0, NOTE_CHARACTERS_MAX),
  }
  return { ...stored, state, history: [...stored.history, move].slice(-HISTORY_MAX) }
}
