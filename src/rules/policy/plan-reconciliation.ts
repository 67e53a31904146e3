import type { Rule } from "../../rule.ts"

/** What differs between the rules that are decided and those that Gatekeeper holds. */
export interface Drift {
  /** Decided, and not active there: never sent, forgotten at a restart, or disabled by somebody. */
  readonly missing: readonly Rule[]
  /** Active there as something else than decided. */
  readonly changed: readonly Rule[]
  /** Sentinel's own, active there and not decided: expired, rejected, replaced, withdrawn. */
  readonly surplus: readonly string[]
}

export interface ReconciliationSides {
  /** Unexpired rules in the states approved and active. */
  readonly decided: readonly Rule[]
  /** What `GET rules` answers. */
  readonly active: readonly Rule[]
  /** Of this Sentinel's rule store. */
  readonly instanceId: string
}

/**
 * Compares the decided rules with the active ones. Rules of others are never touched, those of
 * another Sentinel among them; what the same pattern of two Sentinels is called is the same.
 */
export function planReconciliation({ decided, active, instanceId }: ReconciliationSides): Drift {
  const sentinels = active.filter((rule) => rule.created_by === "sentinel")
  const ours = new Map(sentinels.map((rule) => [rule.rule_id, rule]))
  const isOthers = ({ audit }: Rule) => (audit?.instance ?? instanceId) !== instanceId
  const wanted = new Set(decided.map(({ rule_id }) => rule_id))
  return {
    missing: decided.filter(({ rule_id }) => !ours.has(rule_id)),
    changed: decided.filter((rule) => isChanged(rule, ours.get(rule.rule_id))),
    surplus: sentinels
      .filter((rule) => !wanted.has(rule.rule_id) && !isOthers(rule))
      .map(({ rule_id }) => rule_id),
  }
}

export function isDrift({ missing, changed, surplus }: Drift): boolean {
  return missing.length + changed.length + surplus.length > 0
}

/** By what decides about a request; Gatekeeper may write the rest in its own way. */
export function isSameEffect(one: Rule, other: Rule): boolean {
  const effect = ({ match, action, enabled }: Rule) => {
    const { type, pattern, flags } = match
    return JSON.stringify([type, pattern, flags?.caseless === true, action, enabled !== false])
  }
  return effect(one) === effect(other)
}

function isChanged(rule: Rule, active: Rule | undefined): boolean {
  return active !== undefined && !isSameEffect(rule, active)
}
