import type { SimulatedClass } from "./twin-protocol.ts"

/** A WAF rule: its wire form (contract, section 2) and what Sentinel knows of it besides. */

export const RULE_LOCATIONS = ["args", "body", "headers", "uri", "json_values"] as const
export type RuleLocation = (typeof RULE_LOCATIONS)[number]

/** Only `block` blocks at Gatekeeper; the others raise a score. */
export const RULE_ACTIONS = ["block", "challenge", "tag", "log"] as const
export type RuleAction = (typeof RULE_ACTIONS)[number]

export interface RuleMatch {
  readonly type: "string" | "regex" | "header_combo"
  readonly pattern: string
  readonly location: readonly RuleLocation[]
  readonly flags: { readonly caseless: boolean }
}

/** What Gatekeeper stores, field by field. */
export interface Rule {
  /** `[A-Za-z0-9_-]`, 1..64 characters. */
  readonly rule_id: string
  readonly created_by: "sentinel"
  /** ISO 8601, as all times here. */
  readonly created_at: string
  readonly valid_from: string
  readonly expires_at: string
  /** The higher, the sooner. */
  readonly priority: number
  readonly match: RuleMatch
  readonly action: RuleAction
  /** 0..1: the probability that the rule is right; derived in `audit.confidence`. */
  readonly confidence: number
  readonly evidence: {
    readonly simulation_id: string
    readonly sample_payloads: readonly string[]
    /** 0..10 */
    readonly severity: number
    readonly attack_type: SimulatedClass
  }
  readonly audit: RuleAudit
  readonly enabled: boolean
}

/** A factor of the confidence: the last one's value is the rule's. */
export interface ConfidenceStep {
  readonly reason: string
  /** The confidence so far, 0..1. */
  readonly value: number
}

/** Where a rule comes from: enough to judge it without asking anybody. */
export interface RuleAudit {
  readonly event_id?: string
  readonly session_id: string
  readonly evidence_sha256?: string
  readonly integrity?: string
  readonly model?: string
  readonly verdict?: string
  readonly simulated: boolean
  readonly simulation_signals: readonly string[]
  readonly techniques: readonly string[]
  /** Kinds of the tokens that each alternative of the pattern consists of. */
  readonly tokens: readonly (readonly string[])[]
  readonly coverage: {
    /** Working relatives of the exploit that the rule was made from, and the share that it matches. */
    readonly variants: number
    readonly matched: number
    /** The same of relatives that were not used to make it. */
    readonly held_out: number
    readonly held_out_matched: number
  }
  readonly benign: {
    /** Texts that the rule was held against, by corpus. */
    readonly corpora: Readonly<Record<string, number>>
    readonly matched: number
    /** 95% upper bound of the share of benign requests that it meets. */
    readonly false_positive_rate_max: number
  }
  readonly confidence: readonly ConfidenceStep[]
  /** What it does not cover, in words. */
  readonly limits: readonly string[]
  /** From then on a person should look at it again; ISO 8601. */
  readonly review_at?: string
  /** Of the rule store that decided it; only in what Gatekeeper holds. */
  readonly instance?: string
  /** Rules that this one took the place of. */
  readonly replaces: readonly string[]
}

/**
 * pending_review: a person decides. logged_only: kept, not applied.
 * approved: decided, on its way to Gatekeeper. active: Gatekeeper has it. rejected: kept with its
 * reason. expired: its time is over, or a person ended it. replaced: a better one covers it.
 */
export const RULE_STATES = [
  "pending_review",
  "logged_only",
  "approved",
  "active",
  "rejected",
  "expired",
  "replaced",
] as const
export type RuleState = (typeof RULE_STATES)[number]

export interface RuleTransition {
  readonly state: RuleState
  readonly at: string
  /** `policy`, or who a person said to be. */
  readonly by: string
  readonly note: string
}

export interface StoredRule {
  readonly rule: Rule
  readonly state: RuleState
  /** Oldest first, at most 50. */
  readonly history: readonly RuleTransition[]
  /** What the never-block list said of where its payload came from, when it was made. */
  readonly protections?: readonly string[]
}

export type RuleDecisionWord = "auto_applied" | "pending_review" | "logged_only"

export interface RuleDecision {
  readonly decision: RuleDecisionWord
  /** Each reason that led there, for people. */
  readonly reasons: readonly string[]
}
