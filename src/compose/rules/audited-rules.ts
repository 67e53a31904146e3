import { publicError } from "../../errors.ts"
import type { Logger } from "../../log.ts"
import type { RuleStore } from "../../ports/rules.ts"
import type { AuditLog } from "../../ports/sandbox.ts"
import type { StoredRule } from "../../rule.ts"

/**
 * The same store; each state that a rule reaches is chained into the audit log as well.
 *
 * The store's own history is what counts: a log that cannot be written keeps no rule from being
 * withdrawn, and is reported.
 */
export function auditedRules(
  store: RuleStore,
  { audit, log }: { readonly audit: Pick<AuditLog, "append">; readonly log: Logger },
): RuleStore {
  const note = async (after: StoredRule) => {
    await audit.append("rule", auditedState(after)).catch((error) => {
      const { code } = publicError(error)
      log.error("a rule's state is missing in the audit log", { code })
    })
    return after
  }
  return {
    async add(stored) {
      const isNew = store.get(stored.rule.rule_id) === undefined
      const held = await store.add(stored)
      return isNew ? note(held) : held
    },
    async update(ruleId, change) {
      let hasMoved = false
      const after = await store.update(ruleId, (held) => {
        const changed = change(held)
        hasMoved = changed !== undefined && changed.history !== held.history
        return changed
      })
      return hasMoved ? note(after) : after
    },
    get: (ruleId) => store.get(ruleId),
    query: (query) => store.query(query),
    counts: () => store.counts(),
    inStates: (states) => store.inStates(states),
    instanceId: () => store.instanceId(),
    close: () => store.close(),
  }
}

/** From the object's digest to the state: the story of a rule in one line. */
function auditedState({ rule, state, history }: StoredRule) {
  const { rule_id, confidence, evidence, audit } = rule
  return {
    ...{ rule_id, state, by: history.at(-1)?.by ?? "policy", confidence },
    ...{ note: history.at(-1)?.note ?? "", simulation_id: evidence.simulation_id },
    event_id: audit.event_id ?? null,
    evidence_sha256: audit.evidence_sha256 ?? null,
  }
}
