import type { RuleOperations } from "../../api/rule-operations.ts"
import { UnavailableError } from "../../errors.ts"
import type { Rule } from "../../rule.ts"
import type { OpenedRuleService } from "./open-rule-service.ts"

/** What people and their tools do with rules that are there. */
export function ruleOperations(parts: OpenedRuleService): Omit<RuleOperations, "propose"> {
  const { store, service, reconciler } = parts
  return {
    get: (ruleId) => store.get(ruleId),
    query: (query) => store.query(query),
    apply: (ruleId, force) => service.apply(ruleId, { force }),
    review: (ruleId, state, { reviewer: by, note }) => service.move(ruleId, state, { by, note }),
    withdrawAll: ({ reviewer: by, note }) => service.withdrawAll({ by, note }),
    async reconcile() {
      if (reconciler === undefined) throw new UnavailableError("Gatekeeper (not configured)")
      const { drift, failures } = await reconciler.run()
      const ids = (rules: readonly Rule[] = []) => rules.map(({ rule_id }) => rule_id)
      return {
        isReachable: drift !== undefined,
        missing: ids(drift?.missing),
        changed: ids(drift?.changed),
        surplus: drift?.surplus ?? [],
        failures,
      }
    },
  }
}
