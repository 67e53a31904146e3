import type { RuleStore } from "../ports/rules.ts"
import type { Page } from "../ports.ts"
import type { Rule, RuleDecision, RuleState, StoredRule } from "../rule.ts"
import type { SimulationJob } from "../simulation-result.ts"
import type { SimulatedClass } from "../twin-protocol.ts"

/** An exploit that a client wants a rule for. */
export interface RuleProposal {
  readonly payload: {
    readonly type: SimulatedClass
    readonly value: string
    readonly location: string
    /** P(attack) as the client was told, 0..1. */
    readonly confidence: number | undefined
  }
  /** The client's own word, where the store does not know the simulation. */
  readonly result: {
    readonly simulationId: string | undefined
    readonly severity: number
  }
}

/** Who reviews a rule, and why. */
export interface RuleReview {
  readonly reviewer: string
  readonly note: string
}

export interface ProposedRule {
  readonly rule: Rule
  readonly decision: RuleDecision
}

/** Rules as whoever reviews them sees them. */
export interface RuleOperations {
  get(ruleId: string): StoredRule | undefined
  query(query: Parameters<RuleStore["query"]>[0]): Page<StoredRule>
  /** @throws RuleRefusedError where no safe rule can be made */
  propose(proposal: RuleProposal, known: SimulationJob | undefined): Promise<ProposedRule>
  /**
   * @param forced who decides it, whatever the policy says; undefined: the policy's opinion
   * @throws RuleUnknownError, RuleStateError
   */
  apply(ruleId: string, forced: RuleReview | undefined): Promise<RuleDecision>
  /** The rule as it is once Gatekeeper was asked. @throws RuleUnknownError, RuleStateError */
  review(ruleId: string, state: RuleState, review: RuleReview): Promise<ReviewedRule>
  /** Takes all of Sentinel's rules out of Gatekeeper. */
  withdrawAll(review: RuleReview): Promise<Withdrawal>
  /** Compares with Gatekeeper, heals, and says what was found. */
  reconcile(): Promise<RuleDrift>
}

/** What Gatekeeper has of rules that were decided to go, right after the decision. */
export interface TakenOut {
  /** `silent`: it did not answer, or refused to. */
  readonly gatekeeper: "answers" | "silent" | "not_configured"
  /** Rules that it still enforces; where it was not seen, those that it may. */
  readonly stillEnforced: number
}

export interface ReviewedRule {
  readonly stored: StoredRule
  readonly takenOut: TakenOut
}

export interface Withdrawal {
  /** Rules whose state is now expired. */
  readonly withdrawn: number
  readonly takenOut: TakenOut
}

export interface RuleDrift {
  readonly isReachable: boolean
  readonly missing: readonly string[]
  readonly changed: readonly string[]
  readonly surplus: readonly string[]
  /** Active there under Sentinel's name and not of this one; left alone. */
  readonly foreign: readonly string[]
  /** Codes of what could not be healed. */
  readonly failures: readonly string[]
}
