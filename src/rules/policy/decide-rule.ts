import type { Rule, RuleDecision } from "../../rule.ts"

/** What the policy looks at besides the rule itself. */
export interface PolicyState {
  /** Confidence from which a rule is applied by itself, and from which a person is asked; 0..1. */
  readonly thresholds: { readonly autoApply: number; readonly review: number }
  /** False = observe only: a person decides every rule. */
  readonly isAutoApplyOn: boolean
  /** Rules that were applied by themselves within the last hour, and how many may be. */
  readonly appliedLastHour: number
  readonly appliedPerHourMax: number
  readonly hasGatekeeper: boolean
  /** True where Gatekeeper's active rules are not the decided ones, or it does not answer. */
  readonly isDrifting: boolean
  /** What the never-block list says against this rule, in words; empty = nothing. */
  readonly protections: readonly string[]
}

/**
 * Decides who decides: the policy itself, a person, or nobody for now.
 *
 * By confidence first. Then everything that speaks against applying it without a person turns
 * `auto_applied` into `pending_review`, each with its reason; nothing ever makes a rule more likely
 * to be applied. A rule that the never-block list protects from is only logged.
 */
export function decideRule(rule: Rule, state: PolicyState): RuleDecision {
  const { thresholds, protections } = state
  if (protections.length > 0) return { decision: "logged_only", reasons: protections }
  if (rule.confidence < thresholds.review) {
    return { decision: "logged_only", reasons: [`confidence below ${thresholds.review}`] }
  }
  const doubts = doubtsOf(rule, state)
  if (doubts.length > 0) return { decision: "pending_review", reasons: doubts }
  return { decision: "auto_applied", reasons: [`confidence of at least ${thresholds.autoApply}`] }
}

/** Why a person must look, the rule's own reasons before those of the moment. */
function doubtsOf(rule: Rule, state: PolicyState): readonly string[] {
  const { audit } = rule
  const { autoApply } = state.thresholds
  const hour = `${state.appliedPerHourMax} rules were applied within an hour`
  const doubts: readonly (readonly [isDoubtful: boolean, reason: string])[] = [
    [rule.confidence < autoApply, `confidence below ${autoApply}`],
    [audit.integrity !== "verified", "the integrity of its evidence was not verified"],
    [!audit.simulated, "no simulation that Sentinel ran confirms it"],
    [audit.benign.matched > 0, "it matches benign requests"],
    [rule.match.type === "header_combo", "Gatekeeper never matches rules of this type"],
    [!state.isAutoApplyOn, "SENTINEL_AUTO_APPLY is off"],
    [state.appliedLastHour >= state.appliedPerHourMax, hour],
    [!state.hasGatekeeper, "no Gatekeeper is configured"],
    [state.isDrifting, "Gatekeeper disagrees about what is active"],
  ]
  return doubts.filter(([isDoubtful]) => isDoubtful).map(([, reason]) => reason)
}
