import { RuleProtectedError, RuleStateError, RuleUnknownError } from "../../errors.ts"
import type { RuleStore } from "../../ports/rules.ts"
import type { Clock } from "../../ports.ts"
import type { Rule, RuleDecision, RuleState, StoredRule } from "../../rule.ts"
import { checkRule } from "../../rules/check-rule.ts"
import { decideRule, type PolicyState } from "../../rules/policy/decide-rule.ts"
import {
  type NeverBlock,
  protectionsFrom,
  type RuleOrigin,
} from "../../rules/policy/never-block.ts"
import { isOpenAgain, isUndecided, mayMove, moved } from "../../rules/policy/rule-states.ts"
import { replacedRules } from "../../rules/replaced-rules.ts"
import type { RuleReconciler } from "./rule-reconciler.ts"

export interface RuleServiceParts {
  readonly store: RuleStore
  /** undefined where no Gatekeeper is configured. */
  readonly reconciler: Pick<RuleReconciler, "run" | "isDrifting"> | undefined
  readonly policy: Pick<PolicyState, "thresholds" | "isAutoApplyOn" | "appliedPerHourMax"> & {
    readonly timeToLiveMs: number
  }
  readonly neverBlock: NeverBlock
  readonly clock: Pick<Clock, "nowMs">
  /** Told of each decision about a rule; a rule that is known already brings none. */
  readonly onDecided: (rule: Rule, decision: RuleDecision) => void
}

/** Who moves a rule, and why. */
export interface Review {
  readonly by: string
  readonly note: string
}

const DECIDED = ["approved", "active"] as const
const REPLACEABLE = ["pending_review", "logged_only", "approved", "active"] as const
const REPLACED_MAX = 100
const HOUR_MS = 3_600_000
const STATE_AFTER = {
  auto_applied: "approved",
  pending_review: "pending_review",
  logged_only: "logged_only",
} as const

/**
 * What becomes of a rule: the policy's decision, a person's, and the delivery.
 *
 * A decision is durable before it is answered. The delivery of the policy's follows at once; whoever
 * brings a person's has it delivered; where Gatekeeper does not answer, the next reconciliation does.
 */
export class RuleService {
  readonly #parts: RuleServiceParts
  #deciding: Promise<unknown> = Promise.resolve()

  constructor(parts: RuleServiceParts) {
    this.#parts = parts
  }

  /**
   * Decides about a new rule. One that is known keeps its state: the same exploit again is no news,
   * and what a person rejected stays rejected.
   * @throws RuleRefusedError where it must not reach a WAF
   */
  propose(rule: Rule, origin: RuleOrigin): Promise<RuleDecision> {
    checkRule(rule)
    return this.#oneByOne(() => this.#propose(rule, origin))
  }

  /** The policy's opinion of a stored rule now, or a person's decision to apply it. */
  async apply(ruleId: string, forced?: Review): Promise<RuleDecision> {
    if (forced === undefined) return this.#oneByOne(() => this.#askPolicy(ruleId))
    const reasons = [forced.note || "a person decided it"]
    const isDecided = DECIDED.some((state) => state === this.stored(ruleId).state)
    if (!isDecided) await this.move(ruleId, "approved", { by: forced.by, note: reasons.join("; ") })
    this.#deliver()
    return { decision: "auto_applied", reasons }
  }

  /** @throws RuleUnknownError, RuleStateError, RuleProtectedError */
  async move(ruleId: string, state: RuleState, review: Review): Promise<StoredRule> {
    const { store, clock } = this.#parts
    const nowMs = clock.nowMs()
    return await store.update(ruleId, (held) => {
      if (!mayMove(held.state, state)) throw new RuleStateError(held.state)
      return moved(state === "approved" ? this.#approvable(held) : held, {
        ...{ state, nowMs, ...review },
      })
    })
  }

  /** Decides against every rule that Sentinel has in Gatekeeper, or is about to have. */
  withdrawAll(review: Review): Promise<number> {
    return this.#oneByOne(() => this.#withdraw(() => review))
  }

  /** Takes out what the never-block list protects by now: it may have grown since the decision. */
  async withdrawProtected(): Promise<number> {
    const withdrawn = await this.#oneByOne(() =>
      this.#withdraw(({ rule }) => {
        const [note] = protectionsFrom(this.#parts.neverBlock, rule, { location: "" })
        return note === undefined ? undefined : { by: "policy", note }
      }),
    )
    if (withdrawn > 0) this.#deliver()
    return withdrawn
  }

  /** @throws RuleUnknownError */
  stored(ruleId: string): StoredRule {
    const stored = this.#parts.store.get(ruleId)
    if (stored === undefined) throw new RuleUnknownError()
    return stored
  }

  /** @param against what speaks against a decided rule; undefined = nothing */
  async #withdraw(against: (stored: StoredRule) => Review | undefined): Promise<number> {
    const { store, clock } = this.#parts
    let withdrawn = 0
    for (const stored of store.inStates(DECIDED)) {
      const review = against(stored)
      if (review === undefined) continue
      const move = { state: "expired", nowMs: clock.nowMs(), ...review } as const
      await store.update(stored.rule.rule_id, (held) =>
        mayMove(held.state, move.state) ? moved(held, move) : undefined,
      )
      withdrawn += 1
    }
    return withdrawn
  }

  async #askPolicy(ruleId: string): Promise<RuleDecision> {
    const { store, clock, neverBlock } = this.#parts
    const stored = this.stored(ruleId)
    const { rule, state, protections = [] } = stored
    if (!isUndecided(state)) return knownDecision(stored)
    const now = protectionsFrom(neverBlock, rule, { location: "" })
    const decision = decideRule(rule, this.#policyState([...protections, ...now]))
    const note = decision.reasons.join("; ")
    if (decision.decision !== "auto_applied") return decision
    const move = { state: "approved", by: "policy", note, nowMs: clock.nowMs() } as const
    const after = await store.update(ruleId, (held) =>
      // a person may have decided meanwhile, and the policy never overrules one
      isUndecided(held.state) ? moved(this.#approvable(held), move) : undefined,
    )
    this.#deliver()
    return after.state === "approved" ? decision : knownDecision(after)
  }

  /** Not even a person approves what must never be blocked; what was over lives once more. */
  #approvable(held: StoredRule): StoredRule {
    const { clock, policy, neverBlock } = this.#parts
    if (protectionsFrom(neverBlock, held.rule, { location: "" }).length > 0) {
      throw new RuleProtectedError()
    }
    const nowMs = clock.nowMs()
    if (Date.parse(held.rule.expires_at) > nowMs) return held
    const expiresAt = new Date(nowMs + policy.timeToLiveMs).toISOString()
    return { ...held, rule: { ...held.rule, expires_at: expiresAt } }
  }

  async #propose(proposed: Rule, origin: RuleOrigin): Promise<RuleDecision> {
    const { store, clock, onDecided } = this.#parts
    const known = store.get(proposed.rule_id)
    if (known !== undefined && !isMadeBetter(known, proposed)) return knownDecision(known)
    const rule = this.#withReplaced(proposed, origin)
    const protections = protectionsFrom(this.#parts.neverBlock, rule, origin)
    const decision = decideRule(rule, this.#policyState(protections))
    const state = STATE_AFTER[decision.decision]
    const note = decision.reasons.join("; ")
    const move = { state, by: "policy", note, nowMs: clock.nowMs() }
    const made = { rule, state, history: [], protections }
    const after =
      known === undefined
        ? await store.add(moved(made, move))
        : await store.update(rule.rule_id, (held) =>
            // a person may have decided meanwhile
            isMadeBetter(held, rule) ? moved({ ...made, history: held.history }, move) : undefined,
          )
    if (after.rule !== rule) return knownDecision(after)
    onDecided(rule, decision)
    if (state === "approved") this.#deliver()
    return decision
  }

  /** Names the rules that the new one makes needless: they go once Gatekeeper has it. */
  #withReplaced(rule: Rule, origin: RuleOrigin): Rule {
    const held = this.#parts.store.inStates(REPLACEABLE).map((stored) => stored.rule)
    const replaces = replacedRules(held, rule, origin.location).map(({ rule_id }) => rule_id)
    return { ...rule, audit: { ...rule.audit, replaces: replaces.slice(0, REPLACED_MAX) } }
  }

  #policyState(protections: readonly string[]): PolicyState {
    const { policy, reconciler } = this.#parts
    return {
      ...policy,
      appliedLastHour: this.#appliedLastHour(),
      hasGatekeeper: reconciler !== undefined,
      isDrifting: reconciler?.isDrifting === true,
      protections,
    }
  }

  #appliedLastHour(): number {
    const since = this.#parts.clock.nowMs() - HOUR_MS
    const wasApplied = ({ history }: StoredRule) =>
      history.some(
        ({ state, by, at }) => state === "approved" && by === "policy" && Date.parse(at) > since,
      )
    const states = ["approved", "active", "expired", "rejected", "replaced"] as const
    return this.#parts.store.inStates(states).filter(wasApplied).length
  }

  #deliver(): void {
    // what fails now is tried again by the next reconciliation
    this.#parts.reconciler?.run().catch(() => undefined)
  }

  /** Two decisions at once could both be the last that the hour allows. */
  #oneByOne<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#deciding.then(work, work)
    this.#deciding = done.catch(() => undefined)
    return done
  }
}

/** The same rule with more to say for it than before: with a proof, or with more relatives. */
function isMadeBetter(known: StoredRule, rule: Rule): boolean {
  if (isOpenAgain(known)) return known.state === "expired" || rule.audit.simulated
  return known.state === "logged_only" && rule.confidence > known.rule.confidence
}

function knownDecision({ state, history }: StoredRule): RuleDecision {
  const reasons = [`the rule is known, in state ${state}`, history.at(-1)?.note ?? ""]
  if (state === "approved" || state === "active") return { decision: "auto_applied", reasons }
  return { decision: state === "pending_review" ? state : "logged_only", reasons }
}
