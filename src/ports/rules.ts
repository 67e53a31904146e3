import type { Page } from "../ports.ts"
import type { Rule, RuleState, StoredRule } from "../rule.ts"

/** The WAF. One call is one request. @throws UnavailableError, GatekeeperRefusedError */
export interface Gatekeeper {
  /** The enabled rules alone, those of others among them. */
  list(): Promise<readonly Rule[]>
  /** Disabled rules too. */
  get(ruleId: string): Promise<Rule | undefined>
  create(rule: Rule): Promise<"created" | "exists">
  remove(ruleId: string): Promise<"removed" | "absent">
  toggle(ruleId: string, enabled: boolean): Promise<void>
}

/** Every rule that was ever made, with its state. A rule decided there is a rule to be delivered. */
export interface RuleStore {
  /** Keeps a new rule, or answers with the one of that id that is held. Resolves once durable. */
  add(rule: StoredRule): Promise<StoredRule>
  /**
   * Replaces a rule by what `change` makes of it, alone with it; undefined leaves it as it is.
   * @throws RuleUnknownError, and what `change` throws
   */
  update(ruleId: string, change: (held: StoredRule) => StoredRule | undefined): Promise<StoredRule>
  get(ruleId: string): StoredRule | undefined
  /** Newest first. */
  query(query: {
    readonly state?: RuleState
    readonly limit: number
    readonly cursor?: string
  }): Page<StoredRule>
  counts(): Readonly<Record<RuleState, number>>
  /** All of the states, in no order. */
  inStates(states: readonly RuleState[]): readonly StoredRule[]
  /** Tells this store's rules in Gatekeeper from those of another Sentinel; never changes. */
  instanceId(): Promise<string>
  close(): Promise<void>
}
