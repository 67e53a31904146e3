import type { Rule, RuleAudit } from "../rule.ts"
import type { SimulationResult } from "../simulation-result.ts"
import { ruleAction, ruleLocations } from "./action-table.ts"
import { checkRule } from "./check-rule.ts"
import { falsePositiveRateMax, ruleConfidence } from "./confidence/rule-confidence.ts"
import { literalOf } from "./literal-pattern.ts"
import type { MadePattern, PatternTask } from "./make-pattern.ts"

/** Where the exploit came from, as far as it is known. */
export interface RuleProvenance {
  readonly evidenceSha256?: string
  readonly integrity?: string
  readonly model?: string
  readonly verdict?: string
  /** P(attack) by the classifier, 0..1. */
  readonly classification?: number
  /** True where this Sentinel ran the simulation itself. */
  readonly simulated: boolean
}

export interface RuleParts {
  readonly task: PatternTask
  readonly made: MadePattern
  readonly result: SimulationResult
  readonly provenance: RuleProvenance
  /** Benign texts that the pattern was held against, by corpus; it meets none of them. */
  readonly corpora: Readonly<Record<string, number>>
  readonly nowMs: number
  readonly timeToLiveMs: number
}

const ABBREVIATIONS = {
  sql_injection: "sqli",
  xss: "xss",
  command_injection: "cmd",
  path_traversal: "path",
} as const
const SAMPLE_CHARACTERS_MAX = 200
const SAMPLES_MAX = 10
/** A rule is looked at again when half of its time is over. */
const REVIEW_SHARE = 0.5

/**
 * The rule for a made pattern, with all that speaks for it.
 *
 * Its id is a digest of what it matches: the same pattern made again is the same rule.
 * @throws RuleRefusedError where it must not reach a WAF
 */
export function assembleRule(parts: RuleParts): Rule {
  const { task, made, result, nowMs, timeToLiveMs } = parts
  const audit = auditOf(parts)
  const confidence = audit.confidence.at(-1)?.value ?? 0
  const rule: Rule = {
    rule_id: ruleId(task, made.pattern),
    created_by: "sentinel",
    created_at: new Date(nowMs).toISOString(),
    valid_from: new Date(nowMs).toISOString(),
    expires_at: new Date(nowMs + timeToLiveMs).toISOString(),
    match: matchOf(task, made.pattern),
    ...ruleAction({ severity: result.severity, confidence }),
    confidence,
    evidence: {
      simulation_id: result.simulation_id,
      sample_payloads: samplesOf(task),
      severity: result.severity,
      attack_type: task.class,
    },
    audit,
    enabled: true,
  }
  checkRule(rule)
  return rule
}

/** The literal where the pattern is nothing else: case-sensitive, as patterns are. */
function matchOf({ location }: PatternTask, pattern: string): Rule["match"] {
  const literal = literalOf(pattern)
  return {
    ...(literal === undefined
      ? { type: "regex" as const, pattern }
      : { type: "string" as const, pattern: literal }),
    location: ruleLocations(location),
    flags: { caseless: false },
  }
}

/** The exploit and some of its relatives, whole ones alone but for the first. */
function samplesOf({ payload, relatives }: PatternTask): readonly string[] {
  const whole = relatives.filter((text) => text.length <= SAMPLE_CHARACTERS_MAX)
  return [payload.slice(0, SAMPLE_CHARACTERS_MAX), ...whole].slice(0, SAMPLES_MAX)
}

function ruleId({ class: label, location }: PatternTask, pattern: string): string {
  const matched = JSON.stringify([pattern, ruleLocations(location)])
  const digest = new Bun.CryptoHasher("sha256").update(matched).digest("hex")
  return `sentinel-${ABBREVIATIONS[label]}-${digest.slice(0, 16)}`
}

function auditOf(parts: RuleParts): RuleAudit {
  const { task, made, result, provenance, corpora, nowMs, timeToLiveMs } = parts
  const { evidenceSha256, integrity, model, verdict, classification, simulated } = provenance
  const benign = {
    count: Object.values(corpora).reduce((sum, count) => sum + count, 0),
    matched: 0,
  }
  const heldOut = { count: task.heldOut.length, matched: made.heldOutMatched }
  return {
    ...(result.event_id !== undefined && { event_id: result.event_id }),
    session_id: result.session_id,
    ...(evidenceSha256 !== undefined && { evidence_sha256: evidenceSha256 }),
    ...(integrity !== undefined && { integrity }),
    ...(model !== undefined && { model }),
    ...(verdict !== undefined && { verdict }),
    simulated,
    simulation_signals: result.signals.map(({ template, effect }) => `${effect} in ${template}`),
    techniques: result.techniques,
    tokens: made.tokens,
    coverage: {
      variants: task.relatives.length,
      matched: made.matched,
      held_out: heldOut.count,
      held_out_matched: heldOut.matched,
    },
    benign: { corpora, matched: 0, false_positive_rate_max: falsePositiveRateMax(benign) },
    confidence: ruleConfidence({
      exploitScore: result.exploit_score,
      classification,
      heldOut,
      benign,
    }),
    limits: made.limits,
    review_at: new Date(nowMs + REVIEW_SHARE * timeToLiveMs).toISOString(),
    replaces: [],
  }
}
