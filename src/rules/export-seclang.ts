import type { Rule, RuleAction } from "../rule.ts"
import { parsePattern } from "./pattern/parse-pattern.ts"
import { printPattern } from "./pattern/print-pattern.ts"
import { VALUE_END, VALUE_STARTS } from "./synthesis/value-start.ts"

/** Numbers of the rules: a range that no published rule set uses. */
const ID_MIN = 1_000_000_000
const ID_COUNT = 1_000_000_000

/**
 * All that Gatekeeper searches, whatever a rule's `location` says: the request as it came, and what
 * is only found in a body once that is parsed.
 */
const VARIABLES = [
  "REQUEST_URI_RAW",
  "REQUEST_BODY",
  "ARGS",
  "ARGS_NAMES",
  "REQUEST_HEADERS",
  "REQUEST_HEADERS_NAMES",
].join("|")

/** Only a rule that blocks at Gatekeeper blocks here; the others leave a line in the log. */
const DISRUPTIVE: Readonly<Record<RuleAction, string>> = {
  block: "deny,status:403",
  challenge: "pass",
  tag: "pass",
  log: "pass",
}

/**
 * The rules as SecLang, for ModSecurity 3 and Coraza, ordered by id.
 *
 * Each searches the request as it came and, by multiMatch, once more with its escapes taken out. A
 * pattern that wants the start of a value finds it at the beginning of a variable too.
 */
export function exportSecLang(rules: readonly Rule[]): string {
  const ids = new Set<number>()
  const sorted = rules.toSorted((one, other) => (one.rule_id < other.rule_id ? -1 : 1))
  return sorted.map((rule) => secRule(rule, freeId(rule.rule_id, ids))).join("\n")
}

function freeId(ruleId: string, taken: Set<number>): number {
  const digest = new Bun.CryptoHasher("sha256").update(ruleId).digest("hex")
  let id = ID_MIN + (Number.parseInt(digest.slice(0, 12), 16) % ID_COUNT)
  while (taken.has(id)) id += 1
  taken.add(id)
  return id
}

function secRule({ rule_id, match, action, confidence, audit, ...rule }: Rule, id: number): string {
  const actions = [
    `id:${id}`,
    "phase:2",
    DISRUPTIVE[action],
    "log",
    "t:none,t:urlDecodeUni,multiMatch",
    `msg:'Sentinel ${rule_id}'`,
    `tag:'sentinel/${rule.evidence.attack_type}'`,
    `tag:'sentinel-action/${action}'`,
  ]
  const notes = [
    `${rule_id}: confidence ${confidence.toFixed(3)}, until ${rule.expires_at}`,
    ...audit.limits.map((limit) => `does not cover ${limit}`),
  ]
  return [
    ...notes.map((note) => `# ${note.replace(/[^ -~]/g, " ")}`),
    `SecRule ${VARIABLES} "@rx ${quoted(regexOf(match))}" \\`,
    `    "${actions.join(",")}"`,
    "",
  ].join("\n")
}

function regexOf({ type, pattern }: Rule["match"]): string {
  if (type === "string") return pattern.replace(/[\\^$.|?*+()[\]{}]/g, "\\$&")
  const parsed = parsePattern(pattern)
  const options = parsed.kind === "choice" ? parsed.options : [parsed]
  return options.map((option) => toEnd(fromBeginning(printPattern(option)))).join("|")
}

/** What a query or a JSON body has before a value, an ARGS variable has not; `^` begins any line there. */
function fromBeginning(option: string): string {
  const start = VALUE_STARTS.find((printed) => option.startsWith(printed))
  return start === undefined ? option : `(?:\\A|${start})${option.slice(start.length)}`
}

/** Nor what a request has behind it. */
function toEnd(option: string): string {
  return option.endsWith(VALUE_END)
    ? `${option.slice(0, -VALUE_END.length)}(?:\\z|${VALUE_END})`
    : option
}

/** A quote would end the argument, and `%{` begin a macro. */
function quoted(regex: string): string {
  return regex.replaceAll('"', "\\x22").replaceAll("%", "\\x25")
}
