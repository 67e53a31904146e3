import type { Rule } from "../rule.ts"
import { parsePattern } from "./pattern/parse-pattern.ts"
import { printPattern } from "./pattern/print-pattern.ts"
import { coversPayload } from "./rule-matcher.ts"

/**
 * The rules that another one makes needless: each of their alternatives is one of its own, which is
 * exact; or it covers every sample that they keep, which is an estimate from at most ten texts.
 * @param location where the evidence found the payload of `rule`, e.g. `query:q`
 */
export function replacedRules(
  existing: readonly Rule[],
  rule: Rule,
  location: string,
): readonly Rule[] {
  const covers = (value: string) => coversPayload(rule.match, { value, location })
  return existing.filter(
    (other) =>
      other.rule_id !== rule.rule_id &&
      other.evidence.attack_type === rule.evidence.attack_type &&
      (isPartOf(other, rule) || other.evidence.sample_payloads.every(covers)),
  )
}

function isPartOf(other: Rule, rule: Rule): boolean {
  if (other.match.type !== "regex" || rule.match.type !== "regex") return false
  return alternativesOf(other.match.pattern).isSubsetOf(alternativesOf(rule.match.pattern))
}

function alternativesOf(text: string): ReadonlySet<string> {
  const pattern = parsePattern(text)
  const options = pattern.kind === "choice" ? pattern.options : [pattern]
  return new Set(options.map(printPattern))
}
