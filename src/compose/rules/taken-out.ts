import type { TakenOut } from "../../api/rule-operations.ts"
import type { StoredRule } from "../../rule.ts"
import type { RuleReconciler } from "./rule-reconciler.ts"

/**
 * Delivers what was decided, then looks: a decision in the store does not unblock anybody.
 * @param ruleIds all that must be gone from Gatekeeper
 * @param before the rules that the decision took out, as they were
 */
export async function takenOut(
  reconciler: Pick<RuleReconciler, "stillHeld"> | undefined,
  ruleIds: readonly string[],
  before: readonly StoredRule[],
): Promise<TakenOut> {
  if (reconciler === undefined) {
    return { gatekeeper: "not_configured", stillEnforced: countIn(before, ["active"]) }
  }
  const held = await reconciler.stillHeld(ruleIds)
  if (held !== undefined) return { gatekeeper: "answers", stillEnforced: held.length }
  // one that is approved may have been delivered just before
  return { gatekeeper: "silent", stillEnforced: countIn(before, ["approved", "active"]) }
}

function countIn(rules: readonly StoredRule[], states: readonly StoredRule["state"][]): number {
  return rules.filter(({ state }) => states.includes(state)).length
}
