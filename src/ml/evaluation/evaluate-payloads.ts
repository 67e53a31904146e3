import type { PayloadClassifier } from "../../ports.ts"
import type { LabelledPayload } from "./labelled-payloads.ts"
import { type JudgedPayload, type PayloadReport, reportOf } from "./payload-report.ts"
import type { SourcedJudgement } from "./score-pool.ts"

/** How a model did on labelled payloads: pooled, and by source. */
export interface EvaluationReport extends PayloadReport {
  readonly model: string
  readonly bySource: Readonly<Record<string, PayloadReport>>
}

/**
 * Judges every row with the classifier and compares with its label.
 *
 * @param rows kept only as scores: memory grows by some 100 bytes a row
 */
export async function evaluatePayloads(
  rows: AsyncIterable<LabelledPayload>,
  classifier: PayloadClassifier,
): Promise<EvaluationReport> {
  const judged: SourcedJudgement[] = []
  for await (const row of rows) judged.push({ ...judge(row, classifier), source: row.source })
  return summarize(judged, classifier.info.modelId)
}

/** The figures of the whole and of each source. */
export function summarize(rows: readonly SourcedJudgement[], model: string): EvaluationReport {
  const bySource = Map.groupBy(rows, ({ source }) => source)
  return {
    model,
    ...reportOf(rows),
    bySource: Object.fromEntries([...bySource].map(([name, list]) => [name, reportOf(list)])),
  }
}

/** One row's truth beside the classifier's answer. */
export function judge(row: LabelledPayload, classifier: PayloadClassifier): JudgedPayload {
  const { text, kind, label } = row
  const answer = classifier.classify(kind === undefined ? { text } : { text, kind })
  return {
    label,
    predicted: answer.class,
    attackProbability: 1 - (answer.probabilities.benign ?? 0),
    confidence: answer.confidence,
  }
}

/** What `figureCells` gives, in its order. */
export const FIGURE_HEAD: readonly string[] = [
  ...["rows", "attacks", "recall", "FPR", "macro-F1"],
  ...["R@0.02%", "R@0.1%", "R@0.5%", "R@1%", "ECE"],
]

/** The figures of one set as text, in the order of FIGURE_HEAD; "-" where there is none. */
export function figureCells(report: PayloadReport): readonly string[] {
  const { recall, fpr, macroF1, recallAtFpr, ece } = report
  const rates = ["0.0002", "0.001", "0.005", "0.01"] as const
  const shares = [recall, fpr, macroF1, ...rates.map((rate) => recallAtFpr[rate]), ece]
  return [
    `${report.rows}`,
    `${report.attacks}`,
    ...shares.map((share) => (share === null ? "-" : share.toFixed(3))),
  ]
}
