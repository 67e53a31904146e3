import type { EvaluationReport } from "../ml/evaluation/evaluate-payloads.ts"
import type { TruthShare } from "../ml/evaluation/evaluate-sessions.ts"
import type { PayloadReport } from "../ml/evaluation/payload-report.ts"
import { renderTable } from "./table.ts"

/** The payload figures for people: the whole, each class, each source. */
export function renderPayloads(report: EvaluationReport): string {
  const classes = Object.entries(report.byClass).map(([name, { support, ...figures }]) => [
    name,
    `${support}`,
    ...[figures.precision, figures.recall, figures.f1].map(shown),
  ])
  const sources = Object.entries(report.bySource).map(([name, source]) => summary(name, source))
  return [
    `${report.model}\n`,
    renderTable([["class", "rows", "precision", "recall", "F1"], ...classes]),
    `\n${CAPTION}\n`,
    renderTable([SUMMARY_HEAD, summary("all", report), ...sources]),
  ].join("")
}

const CAPTION = "attack against benign; R@ = recall at that false positive rate, - = no such rows"
const SUMMARY_HEAD = [
  ...["source", "rows", "attacks", "precision", "recall", "FPR"],
  ...["macro F1", "R@0.1%", "R@0.5%", "R@1%", "ECE"],
]

function summary(name: string, report: PayloadReport): readonly string[] {
  const { precision, recall, fpr, macroF1, recallAtFpr, ece } = report
  const at = [recallAtFpr["0.001"], recallAtFpr["0.005"], recallAtFpr["0.01"]]
  const figures = [precision, recall, fpr, macroF1, ...at, ece].map(shown)
  return [name, `${report.rows}`, `${report.attacks}`, ...figures]
}

/** The share of sessions flagged, for people. */
export function renderSessions(shares: readonly TruthShare[]): string {
  const head = ["truth", "sessions", "flagged", "simulate", "unusual behaviour"]
  const rows = shares.map(({ truth, sessions, flagged, simulated, unusualBehavior }) => [
    truth,
    `${sessions}`,
    ...[flagged, simulated, unusualBehavior].map(shown),
  ])
  return renderTable([head, ...rows])
}

function shown(share: number | null): string {
  return share === null ? "-" : share.toFixed(4)
}
