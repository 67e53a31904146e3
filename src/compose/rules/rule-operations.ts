import type { RuleOperations } from "../../api/rule-operations.ts"
import { UnavailableError } from "../../errors.ts"
import type { Rule } from "../../rule.ts"
import type { OpenedRuleService } from "./open-rule-service.ts"
import { takenOut } from "./taken-out.ts"

/** What people and their tools do with rules that are there. */
export function ruleOperations(parts: OpenedRuleService): Omit<RuleOperations, "propose"> {
  const { store, service, reconciler } = parts
  return {
    get: (ruleId) => store.get(ruleId),
    query: (query) => store.query(query),
    apply: (ruleId, forced) =>
      service.apply(ruleId, forced && { by: forced.reviewer, note: forced.note }),
    async review(ruleId, state, { reviewer: by, note }) {
      const before = service.stored(ruleId)
      await service.move(ruleId, state, { by, note })
      const gone = state === "approved" ? [] : [ruleId]
      const delivered = await takenOut(reconciler, gone, gone.length === 0 ? [] : [before])
      return { stored: service.stored(ruleId), takenOut: delivered }
    },
    async withdrawAll({ reviewer: by, note }) {
      const before = store.inStates(["approved", "active"])
      const withdrawn = await service.withdrawAll({ by, note })
      // those of an earlier decision that did not get through are meant as well
      const over = store.inStates(["expired", "rejected", "replaced"])
      const gone = over.map(({ rule }) => rule.rule_id)
      return { withdrawn, takenOut: await takenOut(reconciler, gone, before) }
    },
    async reconcile() {
      if (reconciler === undefined)
        throw new UnavailableError("Gatekeeper (GATEKEEPER_API_URL is not set)")
      const { drift, failures } = await reconciler.run()
      const ids = (rules: readonly Rule[] = []) => rules.map(({ rule_id }) => rule_id)
      return {
        isReachable: drift !== undefined,
        missing: ids(drift?.missing),
        changed: ids(drift?.changed),
        surplus: drift?.surplus ?? [],
        foreign: drift?.foreign ?? [],
        failures,
      }
    },
  }
}
