import { randomUUID } from "node:crypto"
import type { RuleOperations, RuleProposal } from "../../api/rule-operations.ts"
import { UnavailableError } from "../../errors.ts"
import { type RuleOrder, worksAs } from "../../operators/generate-rules.ts"
import type { RuleStore, Sandbox, VerdictStore } from "../../ports.ts"
import type { Rule } from "../../rule.ts"
import type { SimulationJob, SimulationResult } from "../../simulation-result.ts"
import { coveringRule } from "./covering-rule.ts"
import type { RuleReconciler } from "./rule-reconciler.ts"
import type { RuleService } from "./rule-service.ts"

export interface RuleOperationsParts {
  readonly store: RuleStore
  readonly service: RuleService
  readonly reconciler: Pick<RuleReconciler, "run"> | undefined
  readonly make: (order: RuleOrder) => Promise<Rule>
  readonly verdicts: Pick<VerdictStore, "byEvent">
  readonly sandbox: Pick<Sandbox, "run">
}

const PROPOSAL_MS = 60_000

/** What people and their tools do with rules. */
export function ruleOperations(parts: RuleOperationsParts): RuleOperations {
  const { store, service, reconciler } = parts
  return {
    get: (ruleId) => store.get(ruleId),
    query: (query) => store.query(query),
    async propose(proposal, known) {
      const { type, value, location } = proposal.payload
      const covering = coveringRule(store, { class: type, value, location })
      const rule = covering?.rule ?? (await makeProposed(proposal, known, parts))
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
 * A rule for what a client says is an exploit. Where the store knows the simulation, its proof is
 * asked for again with the client's payload; else nobody here can ask a twin, so the rule is made
 * from the payload alone and counts as unsimulated.
 */
async function makeProposed(
  { payload, result }: RuleProposal,
  known: SimulationJob | undefined,
  parts: RuleOperationsParts,
): Promise<Rule> {
  const simulationId = result.simulationId ?? `unknown-${randomUUID()}`
  const signal = AbortSignal.timeout(PROPOSAL_MS)
  const subject = {
    ...{ simulationId, eventId: known?.event_id, sessionId: known?.session_id ?? "unknown" },
    ...{ payloadId: "", class: payload.type, value: payload.value, location: payload.location },
    ...{ confidence: payload.confidence, truncated: false },
  }
  const proof = known?.result?.proof
  const works = proof && worksAs(proof, subject, { sandbox: parts.sandbox, signal })
  const isProven = works !== undefined && (await works(payload.value))
  const verdict = isProven ? parts.verdicts.byEvent(known?.event_id ?? "")?.verdict : undefined
  return parts.make({
    ...{ subject, isProven, signal },
    result: (isProven && known?.result) || claimedResult(simulationId, payload, result.severity),
    task: {
      ...{ eventId: simulationId, sessionId: subject.sessionId, priority: 0, eventTimeMs: 0 },
      ...(verdict && { verdict }),
    },
    works: isProven ? works : async () => false,
  })
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
