import { randomUUID } from "node:crypto"
import type { RuleOperations, RuleProposal } from "../../api/rule-operations.ts"
import { type RuleOrder, worksAs } from "../../operators/generate-rules.ts"
import type { RuleStore } from "../../ports/rules.ts"
import type { Sandbox } from "../../ports/sandbox.ts"
import type { VerdictStore } from "../../ports.ts"
import type { Rule } from "../../rule.ts"
import type { SimulationJob, SimulationResult } from "../../simulation-result.ts"
import { coveringRule } from "./covering-rule.ts"
import type { RuleService } from "./rule-service.ts"

export interface ProposeRulesParts {
  readonly store: Pick<RuleStore, "inStates">
  readonly service: Pick<RuleService, "propose">
  readonly make: (order: RuleOrder) => Promise<Rule>
  readonly verdicts: Pick<VerdictStore, "byEvent">
  readonly sandbox: Pick<Sandbox, "run">
}

const PROPOSAL_MS = 60_000

/** Answers with the rule that covers an exploit already, or makes one and has it decided about. */
export function proposeRules(parts: ProposeRulesParts): RuleOperations["propose"] {
  return async (proposal, known) => {
    const { type, value, location } = proposal.payload
    const covering = coveringRule(parts.store, { class: type, value, location })
    const rule = covering?.rule ?? (await makeProposed(proposal, known, parts))
    return { rule, decision: await parts.service.propose(rule, proposal.payload) }
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
  parts: ProposeRulesParts,
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
