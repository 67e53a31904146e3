import type { RuleAction, RuleLocation } from "../rule.ts"

const PRIORITY_MAX = 1_000

/**
 * What a rule does and how early, by the severity of the exploit and the rule's confidence.
 *
 * | severity | confidence >= 0.9 | >= 0.7 | below |
 * | --- | --- | --- | --- |
 * | 7..10 | block | block | tag |
 * | 4..7 | block | challenge | log |
 * | 0..4 | challenge | tag | log |
 *
 * The priority is `100 * severity * confidence`, 0..1000.
 * @param severity 0..10; confidence 0..1
 */
export function ruleAction(judged: { severity: number; confidence: number }): {
  readonly action: RuleAction
  readonly priority: number
} {
  const { severity, confidence } = judged
  const row = severity >= 7 ? SEVERE : severity >= 4 ? SERIOUS : SLIGHT
  const action = confidence >= 0.9 ? row[0] : confidence >= 0.7 ? row[1] : row[2]
  return { action, priority: Math.min(PRIORITY_MAX, Math.round(100 * severity * confidence)) }
}

type Row = readonly [sure: RuleAction, likely: RuleAction, unsure: RuleAction]
const SEVERE: Row = ["block", "block", "tag"]
const SERIOUS: Row = ["block", "challenge", "log"]
const SLIGHT: Row = ["challenge", "tag", "log"]

/**
 * Where in a request a rule looks, by where the evidence found the payload (`query:q`, `path:2`).
 * Gatekeeper stores it and searches everywhere; another WAF may keep to it.
 */
export function ruleLocations(location: string): readonly RuleLocation[] {
  const [place = ""] = location.split(":")
  switch (place) {
    case "path":
      return ["uri"]
    case "header":
    case "cookie":
      return ["headers"]
    case "json":
      return ["json_values", "body"]
    case "query":
      return ["args", "uri"]
    default:
      return ["args", "body"]
  }
}
