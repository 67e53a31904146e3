import type { RuleAudit, StoredRule } from "../rule.ts"
import { BENIGN_REQUESTS_AHEAD, COVERAGE_WANTED } from "../rules/confidence/rule-confidence.ts"
import { printable } from "./printable.ts"
import { renderTable } from "./table.ts"

const PATTERN_CHARACTERS_MAX = 200
const ALTERNATIVES_MAX = 3

/** A rule for whoever reviews it: what it is for, what was measured, why it was decided so; the pattern last. */
export function ruleText(stored: StoredRule): string {
  const { rule, state, history } = stored
  const { audit, match, evidence } = rule
  const rows = [
    ["rule", rule.rule_id],
    ["state", `${state}, expires ${rule.expires_at}`],
    ["why", history.at(-1)?.note || "-"],
    ["exploit", evidence.sample_payloads[0] ?? "-"],
    ["matches", tokensText(audit.tokens)],
    ...measuredRows(audit),
    ...confidenceRows(audit),
    ...audit.limits.map((limit) => ["misses", limit]),
    ["action", `${rule.action}, priority ${rule.priority}, in ${match.location.join(", ")}`],
    [
      "simulation",
      `${evidence.simulation_id}: ${audit.simulation_signals[0] ?? "not proven here"}`,
    ],
    ["evidence", `${audit.evidence_sha256 ?? "-"} (${audit.integrity ?? "unknown"})`],
    ...history.map(({ at, by, note, state: to }) => [at, `${to} by ${by}: ${note}`]),
    [match.type, cut(match.pattern)],
  ]
  return renderTable(rows.map((cells) => cells.map(printable)))
}

function measuredRows({ coverage, benign }: RuleAudit): readonly (readonly string[])[] {
  const share = `at most ${(benign.false_positive_rate_max * 100).toFixed(4)}% with 95% confidence`
  const requests = Object.entries(benign.corpora).map(([name, count]) => `${count} ${name}`)
  return [
    ["coverage", `${coverage.held_out_matched} of ${coverage.held_out} unseen relatives`],
    ["", `${coverage.matched} of ${coverage.variants} that it was made from`],
    ["benign", `${benign.matched} of ${requests.join(" + ") || "0"} matched; ${share}`],
  ]
}

/** Each step is the product so far: the one that takes away most is named, be the rest 0.0000. */
function confidenceRows({ confidence }: RuleAudit): readonly (readonly string[])[] {
  const factors = confidence.map(({ value }, index) => {
    const before = confidence[index - 1]?.value ?? 1
    return before === 0 ? 1 : value / before
  })
  const lowest = confidence[factors.indexOf(Math.min(...factors))]
  if (lowest === undefined) return []
  const total = confidence.at(-1)?.value ?? 0
  return [
    ["confidence", `${total.toFixed(4)}, lowered most by: ${lowest.reason}`],
    ["", `right is a rule that matches ${COVERAGE_WANTED * 100}% of unseen relatives`],
    ["", `and none of ${BENIGN_REQUESTS_AHEAD} further benign requests; step by step:`],
    ...confidence.map(({ reason, value }) => ["", `${value.toFixed(4)}  ${reason}`]),
  ]
}

/** e.g. `keyword, space, number; or string, keyword`. */
function tokensText(alternatives: RuleAudit["tokens"]): string {
  if (alternatives.length === 0) return "the text itself"
  const more = alternatives.length - ALTERNATIVES_MAX
  const shown = alternatives.slice(0, ALTERNATIVES_MAX).map((kinds) => kinds.join(", "))
  return [...shown, ...(more > 0 ? [`${more} more`] : [])].join("; or ")
}

function cut(pattern: string): string {
  if (pattern.length <= PATTERN_CHARACTERS_MAX) return pattern
  return `${pattern.slice(0, PATTERN_CHARACTERS_MAX)}... (${pattern.length} characters: --json)`
}
