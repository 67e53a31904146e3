import { randomUUID } from "node:crypto"
import type { RuleOperations, RuleProposal } from "../../api/rule-operations.ts"
import { UnavailableError } from "../../errors.ts"
import type { RuleOrder } from "../../operators/generate-rules.ts"
import type { RuleStore } from "../../ports.ts"
import type { Rule } from "../../rule.ts"
import type { SimulationJob, SimulationResult } from "../../simulation-result.ts"
import type { RuleReconciler } from "./rule-reconciler.ts"
import type { RuleService } from "./rule-service.ts"

export interface RuleOperationsParts {
  readonly store: RuleStore
  readonly service: RuleService
  readonly reconciler: Pick<RuleReconciler, "run"> | undefined
  readonly make: (order: RuleOrder) => Promise<Rule>
}

/** What people and their tools do with rules. */
export function ruleOperations(parts: RuleOperationsParts): RuleOperations {
  const { store, service, reconciler } = parts
  return {
    get: (ruleId) => store.get(ruleId),
    query: (query) => store.query(query),
    async propose(proposal, known) {
      const rule = await makeProposed(proposal, known, parts)
      return { rule, decision: await service.propose(rule, proposal.payload) }
    },
    apply: (ruleId, force) => service.apply(ruleId, { force, origin: { location: "" } }),
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

/**
 * A rule for what a client says is an exploit. Nobody here can ask a twin about relatives of it, so
 * it is made from the payload alone, and counts as unsimulated unless the store knows the simulation.
 */
async function makeProposed(
  { payload, result }: RuleProposal,
  known: SimulationJob | undefined,
  { make }: RuleOperationsParts,
): Promise<Rule> {
  const simulationId = result.simulationId ?? `unknown-${randomUUID()}`
  const rule = await make({
    subject: {
      ...{ simulationId, eventId: undefined, sessionId: known?.session_id ?? "unknown" },
      ...{ payloadId: "", class: payload.type, value: payload.value, location: payload.location },
      ...{ confidence: payload.confidence, truncated: false },
    },
    result: known?.result ?? claimedResult(simulationId, payload, result.severity),
    task: { eventId: simulationId, sessionId: "unknown", priority: 0, eventTimeMs: 0 },
    works: async () => false,
    signal: AbortSignal.timeout(60_000),
  })
  return { ...rule, audit: { ...rule.audit, simulated: false } }
}

function claimedResult(
  simulationId: string,
  { type }: RuleProposal["payload"],
  severity: number,
): SimulationResult {
  return {
    ...{ simulation_id: simulationId, session_id: "unknown", payload_id: "" },
    ...{ verdict: "exploit_possible", attack_type: type, exploit_score: 0, severity },
    ...{ score_derivation: [], signals: [], evidence: [], affected_resources: [] },
    ...{ reproduction_steps: [], techniques: [], templates_tried: 0, execution_time_ms: 0 },
    driver: { name: "none", limits: {} },
    outside: { wall_ms: 0, timed_out: false, out_of_memory: false },
  }
}
