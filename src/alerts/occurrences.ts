import { isIP } from "node:net"
import type { AlertOccurrence } from "../alert.ts"
import type { Verdict } from "../events.ts"
import type { CompletedJob, DecidedRule, RecordedTask } from "../simulation-result.ts"
import { campaignOf } from "./campaign.ts"

/** A verdict that is worth an alert, or undefined. @param threshold score, 0..1 */
export function verdictOccurrence(
  verdict: Verdict,
  threshold: number,
): AlertOccurrence | undefined {
  const { verdict: word, final_score: score } = verdict
  if (word === "benign" || score < threshold) return undefined
  const techniques = verdict.profile.ttps
  return { ...origin(verdict), word, id: verdict.event_id, score, severity: undefined, techniques }
}

/**
 * The exploits that a simulation proved, from `threshold` (exploit score, 0..1) on, and the rules
 * that the policy applies or wants reviewed. None where a person asked for it, who has the answer.
 */
export function taskOccurrences(
  { task, completed, rules = [] }: RecordedTask,
  threshold: number,
): readonly AlertOccurrence[] {
  if (task.verdict === undefined) return []
  const from = origin(task.verdict)
  const proven = completed.filter(({ result }) => isProven(result, threshold))
  return [
    ...proven.map((job) => exploitOccurrence(job, from)),
    ...rules.flatMap((rule) => ruleOccurrence(rule, from) ?? []),
  ]
}

type Origin = Pick<AlertOccurrence, "sessionId" | "attacker" | "campaign">

function origin(verdict: Verdict): Origin {
  const { session_id: sessionId, context } = verdict
  return { sessionId, attacker: knownAddress(context.attacker_ip), campaign: campaignOf(verdict) }
}

/** An address or a host name: producers write either, and an attacker may have chosen the text. */
function knownAddress(text: string | undefined): string | undefined {
  if (text === undefined || text.length > 253) return undefined
  const lower = text.toLowerCase()
  return isIP(lower) !== 0 || /^[a-z0-9][a-z0-9.-]{0,252}$/.test(lower) ? lower : undefined
}

function isProven({ verdict, exploit_score }: CompletedJob["result"], threshold: number): boolean {
  return verdict === "exploit_possible" && exploit_score >= threshold
}

function exploitOccurrence({ simulation_id, result }: CompletedJob, from: Origin): AlertOccurrence {
  const { exploit_score: score, severity, techniques } = result
  return { ...from, word: "exploit_possible", id: simulation_id, score, severity, techniques }
}

/** The policy's own thresholds have decided: a rule that is only logged is nothing to act on. */
function ruleOccurrence(
  { rule, decision }: DecidedRule,
  from: Origin,
): AlertOccurrence | undefined {
  if (decision === "logged_only") return undefined
  const { severity } = rule.evidence
  const { techniques } = rule.audit
  return { ...from, word: decision, id: rule.rule_id, score: undefined, severity, techniques }
}
