import type { Interval } from "../../ml/evaluation/bootstrap.ts"
import type { DetectionReport } from "../../ml/evaluation/evaluate-detection.ts"
import type { TruthShare } from "../../ml/evaluation/evaluate-sessions.ts"
import type { Estimate } from "../../ml/evaluation/operating-points.ts"
import type { PayloadReport } from "../../ml/evaluation/payload-report.ts"
import type { TimingReport } from "../../ml/evaluation/timing.ts"
import type { JudgementError } from "../../ml/evaluation/worst-errors.ts"
import { renderTable } from "../table.ts"

/** A table for people, before it is text or HTML; its cells may hold hostile payloads. */
export interface Table {
  readonly title: string
  readonly note?: string
  /** The last column holds texts of any length. */
  readonly endsInTexts?: boolean
  /** The head first. */
  readonly rows: readonly (readonly string[])[]
}

/** Every figure of a report on payloads; tables that would be empty are left out. */
export function detectionTables(report: DetectionReport): readonly Table[] {
  const tables = [
    classes(report),
    sources(report),
    operatingPoints(report),
    populations(report),
    robustness(report),
    padding(report),
    timing(report),
    gates(report),
  ]
  return tables.filter(({ rows }) => rows.length > 1)
}

/** The worst errors; the texts stand in them as they are. */
export function errorTables({ errors }: DetectionReport): readonly Table[] {
  const tables = [
    errorTable("attacks taken for benign, the surest first", errors.missed),
    errorTable("benign rows taken for attacks, the surest first", errors.falseAlarms),
    errorTable("attacks taken for another class, the surest first", errors.confused),
  ]
  return tables.filter(({ rows }) => rows.length > 1)
}

/** The share of sessions flagged, by truth and population. */
export function sessionTable(shares: readonly TruthShare[]): Table {
  const head = [
    "truth",
    "population",
    "sessions",
    "flagged",
    "95%",
    "simulate",
    "unusual behaviour",
  ]
  const rows = shares.map((share) => [
    share.truth,
    share.population ?? "all",
    `${share.sessions}`,
    shown(share.flagged),
    between(share.flaggedInterval),
    shown(share.simulated),
    shown(share.unusualBehavior),
  ])
  const note = "flagged = verdict simulate or tag; intervals by Wilson"
  return { title: "sessions", note, rows: [head, ...rows] }
}

/** Tables as text that is safe to show in a terminal. */
export function renderTables(tables: readonly Table[]): string {
  return tables
    .map(({ title, note, rows }) => {
      const caption = note === undefined ? title : `${title} (${note})`
      return `${caption}\n${renderTable(rows.map((row) => row.map(visible)))}`
    })
    .join("\n")
}

/** Control, format and unassigned characters and lone surrogates, written as their code points. */
export function visible(text: string): string {
  return text.replace(
    /[\p{C}\p{Zl}\p{Zp}]/gu,
    (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`,
  )
}

function classes({ byClass, model }: DetectionReport): Table {
  const rows = Object.entries(byClass).map(([name, { support, ...figures }]) => [
    name,
    `${support}`,
    ...[figures.precision, figures.recall, figures.f1].map(shown),
  ])
  return {
    title: "classes",
    note: model,
    rows: [["class", "rows", "precision", "recall", "F1"], ...rows],
  }
}

function sources(report: DetectionReport): Table {
  const bySource = Object.entries(report.bySource).map(([name, source]) => summary(name, source))
  const at = (name: string) => between(report.intervals[name])
  const recalls = ["0.01", "0.005", "0.001", "0.0002"].map((rate) => at(`recallAtFpr.${rate}`))
  const figures = ["precision", "recall", "fpr", "macroF1"].map(at)
  const intervals = ["all, 95%", "", "", ...figures, ...recalls, at("ece")]
  const hasIntervals = Object.keys(report.intervals).length > 0
  return {
    title: "sources",
    note: "attack against benign; R@ = recall at that false positive rate, threshold chosen on these rows; - = no such rows; 95% by bootstrap over sources",
    rows: [SUMMARY_HEAD, summary("all", report), ...(hasIntervals ? [intervals] : []), ...bySource],
  }
}

const SUMMARY_HEAD = [
  ...["source", "rows", "attacks", "precision", "recall", "FPR"],
  ...["macro F1", "R@1%", "R@0.5%", "R@0.1%", "R@0.02%", "ECE"],
]

function summary(name: string, report: PayloadReport): readonly string[] {
  const { precision, recall, fpr, macroF1, recallAtFpr, ece } = report
  const at = [
    recallAtFpr["0.01"],
    recallAtFpr["0.005"],
    recallAtFpr["0.001"],
    recallAtFpr["0.0002"],
  ]
  const figures = [precision, recall, fpr, macroF1, ...at, ece].map(shown)
  return [name, `${report.rows}`, `${report.attacks}`, ...figures]
}

function operatingPoints(report: DetectionReport): Table {
  const head = [
    ...["FPR asked", "threshold here", "recall", "95%"],
    ...["model's threshold", "recall", "95%", "FPR met", "95%", "met / asked"],
  ]
  const rows = report.operatingPoints.map(({ rate, threshold, recall, stored }) => [
    `${rate * 100}%`,
    shown(threshold),
    ...estimated(recall),
    ...(stored === undefined
      ? Array.from({ length: 6 }, () => "-")
      : [
          ...[shown(stored.threshold), ...estimated(stored.recall), ...estimated(stored.fpr)],
          stored.fpr.value === null ? "-" : (stored.fpr.value / rate).toFixed(2),
        ]),
  ])
  const note = "left: threshold chosen on these rows; right: the one that the model holds"
  return { title: "operating points", note, rows: [head, ...rows] }
}

function populations({ benignPopulations }: DetectionReport): Table {
  const rows = benignPopulations.map(({ population, rows, falsePositives, fpr, interval }) => [
    ...[population, `${rows}`, `${falsePositives}`, shown(fpr), between(interval)],
  ])
  const head = ["benign rows", "rows", "false positives", "FPR", "95%"]
  const note = "default threshold; by source, else by kind of field; intervals by Wilson"
  return { title: "false positives", note, rows: [head, ...rows] }
}

function robustness(report: DetectionReport): Table {
  const rows = report.robustness.map((row) => [
    ...[row.transformation, `${row.attacks}`],
    ...[row.recall, row.recallTransformed, row.loss].map(shown),
    `${row.benign}`,
    ...[row.fpr, row.fprTransformed].map(shown),
    row.fprRatio === null ? "-" : row.fprRatio.toFixed(2),
  ])
  const head = [
    ...["re-spelt", "attacks", "recall", "re-spelt", "loss"],
    ...["benign", "FPR", "re-spelt", "ratio"],
  ]
  const note = "default threshold; over a sample of the rows that each changes"
  return { title: "robustness", note, rows: [head, ...rows] }
}

function padding({ padding: report }: DetectionReport): Table {
  if (report === undefined) return { title: "padding", rows: [] }
  const byClass = Object.entries(report.recallAtRateByClass)
  const head = ["attacks", "benign", "R@1%", "recall", "FPR", ...byClass.map(([name]) => name)]
  const figures = [report.recallAtRate, report.recall, report.fpr]
  const row = [
    ...[`${report.attacks}`, `${report.benign}`],
    ...[...figures, ...byClass.map(([, recall]) => recall)].map(shown),
  ]
  const note = `attacks hidden in ${report.characters} characters of benign rows, against as long benign texts; classes at 1%`
  return { title: "padding", note, rows: [head, row] }
}

function timing({ timing: { all, typical } }: DetectionReport): Table {
  const row = (name: string, report: TimingReport | undefined) =>
    report === undefined
      ? []
      : [
          [
            ...[name, `${report.payloads}`, report.charactersMean.toFixed(1)],
            ...[report.microsecondsP50.toFixed(2), report.microsecondsP99.toFixed(2)],
            report.cpuMicrosecondsMean.toFixed(2),
          ],
        ]
  const head = ["texts", "number", "mean characters", "us p50", "us p99", "CPU us, mean"]
  const rows = [head, ...row("all", all), ...row("100 to 140 characters", typical)]
  return {
    title: "time",
    note: "one payload, warm, in batches of 32; percentiles by the wall clock",
    rows,
  }
}

function gates({ gates: { gates: list } }: DetectionReport): Table {
  const rows = list.map(({ figure, required, measured, met }) => [
    figure,
    "atLeast" in required ? `>= ${required.atLeast}` : `<= ${required.atMost}`,
    shown(measured),
    met ? "met" : "not met",
  ])
  return { title: "gates", rows: [["figure", "required", "measured", ""], ...rows] }
}

function errorTable(title: string, errors: readonly JudgementError[]): Table {
  const rows = errors.map(({ source, label, predicted, attackProbability, text }) => [
    ...[source, label, predicted, shown(attackProbability), text],
  ])
  return {
    title,
    endsInTexts: true,
    rows: [["source", "label", "predicted", "P(attack)", "text"], ...rows],
  }
}

function estimated({ value, interval }: Estimate): readonly string[] {
  return [shown(value), between(interval)]
}

function between(interval: Interval | undefined): string {
  return interval === undefined ? "-" : `${shown(interval.low)}..${shown(interval.high)}`
}

function shown(share: number | null): string {
  return share === null ? "-" : share.toFixed(4)
}
