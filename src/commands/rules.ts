import { hostname } from "node:os"
import { MalformedError } from "../errors.ts"
import { jsonLine } from "../json-line.ts"
import type { RuleDecision, RuleState, StoredRule } from "../rule.ts"
import { exportSecLang } from "../rules/export-seclang.ts"
import { type Operations, withOperations } from "./operations.ts"
import { printable } from "./printable.ts"
import { ruleText } from "./rule-text.ts"
import { renderTable } from "./table.ts"
import type { Terminal } from "./terminal.ts"

/** A rule as the list of the API writes it. */
type ListedRule = StoredRule["rule"] & { readonly state: string }

interface Page {
  readonly rules: readonly ListedRule[]
  readonly cursor: string | null
}

/** What Gatekeeper has of rules that were decided to go. */
interface TakenOut {
  readonly still_enforced: number
  readonly gatekeeper: "answers" | "silent" | "not_configured"
}

type ReviewedRule = StoredRule & TakenOut

interface Drift {
  readonly reachable: boolean
  readonly missing: readonly string[]
  readonly changed: readonly string[]
  readonly surplus: readonly string[]
  readonly foreign: readonly string[]
  readonly failures: readonly string[]
}

export interface ListOptions {
  readonly state?: string
  readonly limit: number
  readonly json?: boolean
}

export interface ReviewOptions {
  /** Who decides; default the user of the terminal. */
  readonly reviewer?: string
  readonly note?: string
  readonly json?: boolean
}

export interface ApplyOptions extends Omit<ReviewOptions, "json"> {
  readonly force?: boolean
}

export type ReviewWord = "approve" | "reject" | "expire"

const PAGE_MAX = 100
const DECIDED: readonly RuleState[] = ["approved", "active"]
const RULES_MAX = 10_000

/** Lists rules, newest first. */
export function listRules(options: ListOptions, terminal: Terminal): Promise<number> {
  return withOperations(terminal, async (operations) => {
    const rules = await collect(operations, options)
    if (options.json === true) {
      for (const rule of rules) await terminal.write(jsonLine(rule))
      return 0
    }
    const header = ["rule", "state", "action", "confidence", "unseen", "expires", "for"]
    const table = renderTable([header, ...rules.map(row)])
    await terminal.write(rules.length === 0 ? "no rules\n" : table)
    return 0
  })
}

async function collect(
  operations: Operations,
  { state, limit }: ListOptions,
): Promise<readonly ListedRule[]> {
  const rules: ListedRule[] = []
  let cursor: string | null = null
  do {
    const query = new URLSearchParams({ limit: String(Math.min(PAGE_MAX, limit - rules.length)) })
    if (state !== undefined) query.set("state", state)
    if (cursor !== null) query.set("cursor", cursor)
    const page = (await operations.get(`/rules?${query}`)) as Page
    rules.push(...page.rules)
    cursor = page.cursor
  } while (cursor !== null && rules.length < limit)
  return rules
}

function row({ audit, evidence, ...rule }: ListedRule): readonly string[] {
  const { held_out, held_out_matched } = audit.coverage
  return [
    ...[rule.rule_id, rule.state, rule.action, rule.confidence.toFixed(3)],
    ...[`${held_out_matched}/${held_out}`, rule.expires_at.slice(0, 10)],
    evidence.sample_payloads[0] ?? evidence.attack_type,
  ].map(printable)
}

/** Prints a rule with all that speaks for it, and its history; JSON has the whole pattern. */
export function showRule(
  ruleId: string,
  options: { json?: boolean },
  terminal: Terminal,
): Promise<number> {
  return withOperations(terminal, async (operations) => {
    const stored = await ruleOf(ruleId, operations)
    await terminal.write(options.json === true ? jsonLine(stored) : ruleText(stored))
    return 0
  })
}

/** @throws RefusedError where no rule has this id */
export async function ruleOf(ruleId: string, operations: Operations): Promise<StoredRule> {
  return (await operations.get(`/rules/${encodeURIComponent(ruleId)}`)) as StoredRule
}

/** Prints rules for another WAF: those of one state, or else all that are decided. */
export function exportRules(
  { state }: { readonly state?: RuleState },
  terminal: Terminal,
): Promise<number> {
  return withOperations(terminal, async (operations) => {
    await terminal.write(exportSecLang(await decidedRules(operations, state)))
    return 0
  })
}

/** Those of one state, or else all that are approved or active. */
export async function decidedRules(
  operations: Operations,
  state?: RuleState,
): Promise<readonly ListedRule[]> {
  const rules: ListedRule[] = []
  for (const wanted of state === undefined ? DECIDED : [state]) {
    rules.push(...(await collect(operations, { state: wanted, limit: RULES_MAX })))
  }
  return rules
}

/** A person's decision about a rule. @returns 1 where Gatekeeper may still enforce what was taken out */
export function reviewRule(
  { ruleId, word }: { readonly ruleId: string; readonly word: ReviewWord },
  options: ReviewOptions,
  terminal: Terminal,
): Promise<number> {
  return withOperations(terminal, async (operations) => {
    const path = `/rules/${encodeURIComponent(ruleId)}/${word}`
    const stored = (await operations.post(path, reviewOf(options, terminal))) as ReviewedRule
    const effect = word === "approve" ? enforcedText(stored) : stillText(stored)
    const text = `${printable(`${stored.rule.rule_id} is ${stored.state}`)}\n${effect}`
    await terminal.write(options.json === true ? jsonLine(stored) : text)
    return stored.still_enforced === 0 ? 0 : 1
  })
}

/** Lets the policy decide about a stored rule now, or with `force` the reviewer. */
export function applyRule(
  ruleId: string,
  options: ApplyOptions,
  terminal: Terminal,
): Promise<number> {
  return withOperations(terminal, async (operations) => {
    const isForced = options.force === true
    const body = {
      rule_id: ruleId,
      ...(isForced && { force: true, ...reviewOf(options, terminal) }),
    }
    const answer = (await operations.post("/rule-apply", body)) as {
      readonly decision: RuleDecision["decision"]
      readonly reason: string
    }
    await terminal.write(`${printable(`${ruleId}: ${answer.decision}, ${answer.reason}`)}\n`)
    return 0
  })
}

/** Takes every rule of Sentinel out of Gatekeeper. @returns 1 unless it is known to have none left */
export function withdrawRules(options: ReviewOptions, terminal: Terminal): Promise<number> {
  return withOperations(terminal, async (operations) => {
    // the safe direction, and an emergency: a missing name must not stand in its way
    const reviewer = reviewerOf(options, terminal) ?? `unnamed@${hostname()}`
    const review = reviewOf({ ...options, reviewer }, terminal)
    const answer = await operations.post("/rules-withdraw", review)
    const { withdrawn, ...taken } = answer as TakenOut & { readonly withdrawn: number }
    const text = `${withdrawn} rules withdrawn\n${stillText(taken)}`
    await terminal.write(options.json === true ? jsonLine(answer) : text)
    // of rules that an earlier decision took out nobody knows
    return taken.still_enforced === 0 && taken.gatekeeper !== "silent" ? 0 : 1
  })
}

function enforcedText({ state, gatekeeper }: ReviewedRule): string {
  if (state === "active") return ""
  if (gatekeeper === "not_configured")
    return "decided; nobody enforces it: no Gatekeeper is configured here\n"
  return "decided; not enforced yet: a running Sentinel tries again within 30 s, `./sentinel rules drift` now\n"
}

/** A decision is not yet what the WAF does. */
function stillText({ still_enforced: count, gatekeeper }: TakenOut): string {
  if (count === 0 && gatekeeper !== "silent") return ""
  const again = "a running Sentinel tries again within 30 s, `./sentinel rules drift` now"
  if (gatekeeper === "answers") return `decided; ${count} still enforced: ${again}\n`
  if (gatekeeper === "not_configured") {
    return `decided; ${count} may still be enforced: no Gatekeeper is configured here\n`
  }
  return `decided; ${count} may still be enforced: Gatekeeper does not answer; ${again}\n`
}

/** @returns 1 where Gatekeeper did not hold the decided rules, whatever could be healed */
export function showDrift(options: { json?: boolean }, terminal: Terminal): Promise<number> {
  return withOperations(terminal, async (operations) => {
    const drift = (await operations.post("/rules-reconcile", {})) as Drift
    await terminal.write(options.json === true ? jsonLine(drift) : driftText(drift))
    const { reachable, missing, changed, surplus, failures } = drift
    const different = missing.length + changed.length + surplus.length + failures.length
    return reachable && different === 0 ? 0 : 1
  })
}

function driftText({ reachable, failures, ...found }: Drift): string {
  const { missing, changed, surplus, foreign } = found
  const lines = [
    ...missing.map((id) => `missing   ${id}`),
    ...changed.map((id) => `changed   ${id}`),
    ...surplus.map((id) => `surplus   ${id}`),
  ]
  const failed = failures.length > 0 ? [`not healed: ${[...new Set(failures)].join(", ")}`] : []
  if (!reachable) return `Gatekeeper does not answer\n`
  const isClean = lines.length + failed.length === 0
  const end = isClean ? ["Gatekeeper holds what is decided"] : ["healed"]
  const left = foreign.map((id) => `foreign   ${id} (not of this Sentinel, left alone)`)
  const all = [...lines, ...left, ...(failed.length > 0 ? failed : end)]
  return `${all.map(printable).join("\n")}\n`
}

/** A decision under no name is none: Bun's `userInfo` says `unknown` where USER is not set. */
function reviewOf(options: ReviewOptions, terminal: Pick<Terminal, "env">) {
  const reviewer = reviewerOf(options, terminal)
  if (reviewer === undefined) throw new MalformedError("--reviewer", "a name where USER is not set")
  return { reviewer, ...(options.note !== undefined && { note: options.note }) }
}

function reviewerOf({ reviewer }: ReviewOptions, { env }: Pick<Terminal, "env">) {
  return reviewer ?? (env.USER || undefined)
}
