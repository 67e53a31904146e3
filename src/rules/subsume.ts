import type { Rule } from "../rule.ts"
import type { SimulatedClass } from "../twin-protocol.ts"
import { COVERAGE_WANTED } from "./confidence/rule-confidence.ts"
import { parsePattern } from "./pattern/parse-pattern.ts"
import { printPattern } from "./pattern/print-pattern.ts"
import { matchesEverySending } from "./rule-match.ts"

/** An exploit with the relatives of it that work. */
export interface ExploitFamily {
  readonly class: SimulatedClass
  readonly location: string
  readonly payload: string
  readonly relatives: readonly string[]
}

/**
 * The rule that makes a new one needless: it matches the exploit however it is sent, and as many of
 * its relatives as a new rule would be wanted for. Decided on those texts, so exact for the exploit
 * and an estimate for what else works.
 */
export function coveringRule(
  existing: readonly Rule[],
  { class: label, location, payload, relatives }: ExploitFamily,
): Rule | undefined {
  return existing.find((rule) => {
    if (rule.evidence.attack_type !== label) return false
    const matches = matchesEverySending(rule, location)
    if (!matches(payload)) return false
    return relatives.filter(matches).length >= COVERAGE_WANTED * relatives.length
  })
}

/**
 * The rules that a new one takes the place of: each of their alternatives is one of its own, which
 * is exact; or it matches every sample that they keep, which is an estimate from at most ten texts.
 */
export function replacedRules(
  existing: readonly Rule[],
  rule: Rule,
  location: string,
): readonly Rule[] {
  const matches = matchesEverySending(rule, location)
  return existing.filter(
    (other) =>
      other.rule_id !== rule.rule_id &&
      other.evidence.attack_type === rule.evidence.attack_type &&
      (isPartOf(other, rule) || other.evidence.sample_payloads.every(matches)),
  )
}

function isPartOf(other: Rule, rule: Rule): boolean {
  if (other.match.type !== "regex" || rule.match.type !== "regex") return false
  const own = alternativesOf(rule.match.pattern)
  return alternativesOf(other.match.pattern).isSubsetOf(own)
}

function alternativesOf(text: string): ReadonlySet<string> {
  const pattern = parsePattern(text)
  const options = pattern.kind === "choice" ? pattern.options : [pattern]
  return new Set(options.map(printPattern))
}
