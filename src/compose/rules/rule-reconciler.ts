import { publicError, SentinelError } from "../../errors.ts"
import type { Gatekeeper, RuleStore } from "../../ports/rules.ts"
import type { Clock } from "../../ports.ts"
import type { Rule, RuleState, StoredRule } from "../../rule.ts"
import {
  type Drift,
  isDrift,
  isSameEffect,
  planReconciliation,
} from "../../rules/policy/plan-reconciliation.ts"
import { mayMove, moved } from "../../rules/policy/rule-states.ts"

export interface ReconcilerParts {
  readonly store: RuleStore
  readonly gatekeeper: Gatekeeper
  readonly clock: Pick<Clock, "nowMs">
  /** Told of each rule that Gatekeeper now has. */
  readonly onApplied: (rule: Rule) => void
}

export interface Reconciliation {
  /**
   * As it was found, before anything was healed, without what was decided since the last run;
   * undefined where Gatekeeper does not answer.
   */
  readonly drift: Drift | undefined
  /** Codes of what could not be healed now. */
  readonly failures: readonly string[]
}

/**
 * Makes Gatekeeper's active rules those that are decided: the only way in which a rule gets there.
 *
 * A decision is a state in the store; this compares and heals, whatever happened in between, so a
 * crash, a restart of Gatekeeper and a rule that somebody disabled are all the same to it. Runs
 * follow each other, never side by side.
 */
export class RuleReconciler {
  readonly #parts: ReconcilerParts
  #running: Promise<Reconciliation> | undefined
  #isClosed = false
  /** Rules that the last run had there. */
  #decided: ReadonlySet<string> = new Set()
  #last: Reconciliation = { drift: undefined, failures: ["UNAVAILABLE"] }

  constructor(parts: ReconcilerParts) {
    this.#parts = parts
  }

  /** What the last run found; a rule must not be applied by itself while it was not clean. */
  get last(): Reconciliation {
    return this.#last
  }

  /** True where Gatekeeper was not reached, refused something, or held other rules than decided. */
  get isDrifting(): boolean {
    const { drift, failures } = this.#last
    return drift === undefined || failures.length > 0 || isDrift(drift)
  }

  /** Runs once more after the run that goes on: what was decided meanwhile is delivered as well. */
  async run(): Promise<Reconciliation> {
    await this.#running?.catch(() => undefined)
    if (this.#isClosed) return this.#last
    this.#running ??= this.#reconcile().finally(() => {
      this.#running = undefined
    })
    this.#last = await this.#running
    return this.#last
  }

  /** Runs, then looks: those that Gatekeeper still has; undefined where it does not say. */
  async stillHeld(ruleIds: readonly string[]): Promise<readonly string[] | undefined> {
    const { drift } = await this.run()
    if (drift === undefined || this.#isClosed) return undefined
    try {
      const held = new Set((await this.#parts.gatekeeper.list()).map(({ rule_id }) => rule_id))
      return ruleIds.filter((ruleId) => held.has(ruleId))
    } catch {
      return undefined
    }
  }

  /** Begins no further run, and waits for the one that goes on. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#running?.catch(() => undefined)
  }

  async #reconcile(): Promise<Reconciliation> {
    const failures: string[] = []
    await this.#expire()
    try {
      const decided = this.#parts.store.inStates(["approved", "active"])
      const active = await this.#parts.gatekeeper.list()
      const instanceId = await this.#parts.store.instanceId()
      const drift = planReconciliation({
        ...{ active, instanceId },
        isKnown: (ruleId) => this.#parts.store.get(ruleId) !== undefined,
        decided: decided.map(({ rule }) => ({
          ...rule,
          audit: { ...rule.audit, instance: instanceId },
        })),
      })
      await this.#heal(drift, failures)
      await this.#markActive(decided, failures)
      const found = withoutDecisions(drift, { decided, before: this.#decided })
      this.#decided = new Set(decided.map(idOf))
      return { drift: found, failures }
    } catch (error) {
      return { drift: undefined, failures: [codeOf(error)] }
    }
  }

  async #expire(): Promise<void> {
    const nowMs = this.#parts.clock.nowMs()
    for (const { rule } of this.#parts.store.inStates(["approved", "active"])) {
      if (Date.parse(rule.expires_at) > nowMs) continue
      await this.#move(rule.rule_id, { state: "expired", note: "its time is over" })
    }
  }

  /** Only where the state still leads there: a person may have decided meanwhile. */
  async #move(ruleId: string, to: { state: RuleState; note: string }): Promise<void> {
    const { store, clock } = this.#parts
    const move = { ...to, by: "policy", nowMs: clock.nowMs() }
    if (store.get(ruleId) === undefined) return
    await store.update(ruleId, (held) =>
      mayMove(held.state, to.state) ? moved(held, move) : undefined,
    )
  }

  async #heal({ missing, changed, surplus }: Drift, failures: string[]): Promise<void> {
    const { gatekeeper } = this.#parts
    for (const ruleId of surplus) await attempt(failures, () => gatekeeper.remove(ruleId))
    for (const rule of changed) await attempt(failures, () => this.#replace(rule))
    for (const rule of missing) await attempt(failures, () => this.#ensure(rule))
  }

  /** A rule that is disabled is hidden, so it looks missing and yet exists. */
  async #ensure(rule: Rule): Promise<void> {
    const { gatekeeper } = this.#parts
    if ((await gatekeeper.create(rule)) === "created") return
    const held = await gatekeeper.get(rule.rule_id)
    if (held === undefined) return this.#replace(rule)
    if (isSameEffect({ ...held, enabled: true }, rule)) return gatekeeper.toggle(rule.rule_id, true)
    return this.#replace(rule)
  }

  async #replace(rule: Rule): Promise<void> {
    await this.#parts.gatekeeper.remove(rule.rule_id)
    await this.#parts.gatekeeper.create(rule)
  }

  /** Believed only when it is read back. */
  async #markActive(decided: readonly StoredRule[], failures: string[]): Promise<void> {
    const { gatekeeper, onApplied } = this.#parts
    const approved = decided.filter(({ state }) => state === "approved")
    if (approved.length === 0) return
    const active = new Map((await gatekeeper.list()).map((rule) => [rule.rule_id, rule]))
    for (const stored of approved) {
      const held = active.get(stored.rule.rule_id)
      if (held === undefined || !isSameEffect(held, stored.rule)) {
        failures.push("NOT_STORED")
        continue
      }
      await this.#move(stored.rule.rule_id, { state: "active", note: "read back from Gatekeeper" })
      // where a person has decided against it meanwhile, what it covers must stay
      if (this.#parts.store.get(stored.rule.rule_id)?.state !== "active") continue
      onApplied(stored.rule)
      for (const ruleId of stored.rule.audit.replaces) await this.#replaceBy(stored.rule, ruleId)
    }
  }

  /** Only now that the better rule is active: between the two there is no gap. */
  async #replaceBy({ rule_id }: Rule, replaced: string): Promise<void> {
    await this.#move(replaced, { state: "replaced", note: `${rule_id} covers it` })
    if (this.#parts.store.get(replaced)?.state !== "replaced") return
    await this.#parts.gatekeeper.remove(replaced)
  }
}

/** A rule that was never active there is not missed; one that was decided until now is no surplus. */
function withoutDecisions(
  drift: Drift,
  { decided, before }: { decided: readonly StoredRule[]; before: ReadonlySet<string> },
): Drift {
  const isActive = new Set(decided.filter(({ state }) => state === "active").map(idOf))
  return {
    ...drift,
    missing: drift.missing.filter(({ rule_id }) => isActive.has(rule_id)),
    surplus: drift.surplus.filter((ruleId) => !before.has(ruleId)),
  }
}

function idOf({ rule }: StoredRule): string {
  return rule.rule_id
}

/** One rule that Gatekeeper does not take must not keep the others from it. */
async function attempt(failures: string[], heal: () => Promise<unknown>): Promise<void> {
  try {
    await heal()
  } catch (error) {
    if (error instanceof SentinelError && error.retryable) throw error
    failures.push(codeOf(error))
  }
}

function codeOf(error: unknown): string {
  return publicError(error).code
}
