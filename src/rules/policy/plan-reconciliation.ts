import type { Rule } from "../../rule.ts"

/** What differs between the rules that are decided and those that Gatekeeper holds. */
export interface Drift {
  /** Decided, and not active there: never sent, forgotten at a restart, or disabled by somebody. */
  readonly missing: readonly Rule[]
  /** Active there as something else than decided. */
  readonly changed: readonly Rule[]
  /** Sentinel's own, active there and not decided: expired, rejected, replaced, withdrawn. */
  readonly surplus: readonly string[]
  /** Active there under Sentinel's name and not of this one: left alone, and no drift. */
  readonly foreign: readonly string[]
}

export interface ReconciliationSides {
  /** Unexpired rules in the states approved and active. */
  readonly decided: readonly Rule[]
  /** What `GET rules` answers. */
  readonly active: readonly Rule[]
  /** Of this Sentinel's rule store. */
  readonly instanceId: string
  /** Whether it has a rule of this id, whatever is decided about that. */
  readonly isKnown: (ruleId: string) => boolean
}

/**
 * Compares the decided rules with the active ones. Rules of others are never touched, those of
 * another Sentinel among them; what the same pattern of two Sentinels is called is the same.
 *
 * A rule that says of no instance is ours only where the store knows its id: whoever copies ours by
 * hand may lose the rest of its provenance, and it must still be possible to withdraw it.
 */
export function planReconciliation(sides: ReconciliationSides): Drift {
  const { decided, active, instanceId, isKnown } = sides
  const sentinels = active.filter((rule) => rule.created_by === "sentinel")
  const ours = new Map(sentinels.map((rule) => [rule.rule_id, rule]))
  const isOurs = ({ rule_id, audit }: Rule) =>
    audit?.instance === undefined ? isKnown(rule_id) : audit.instance === instanceId
  const wanted = new Set(decided.map(({ rule_id }) => rule_id))
  const undecided = sentinels.filter(({ rule_id }) => !wanted.has(rule_id))
  return {
    missing: decided.filter(({ rule_id }) => !ours.has(rule_id)),
    changed: decided.filter((rule) => isChanged(rule, ours.get(rule.rule_id))),
    surplus: undecided.filter(isOurs).map(({ rule_id }) => rule_id),
    foreign: undecided.filter((rule) => !isOurs(rule)).map(({ rule_id }) => rule_id),
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
