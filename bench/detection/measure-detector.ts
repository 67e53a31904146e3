import { judge } from "../../src/ml/evaluation/evaluate-payloads.ts"
import type { LabelledPayload } from "../../src/ml/evaluation/labelled-payloads.ts"
import { measurePadding, type PaddingReport } from "../../src/ml/evaluation/padding.ts"
import {
  type JudgedPayload,
  type PayloadReport,
  reportOf,
} from "../../src/ml/evaluation/payload-report.ts"
import { RowSample } from "../../src/ml/evaluation/row-sample.ts"
import { TRANSFORMATIONS } from "../../src/ml/evaluation/transformations.ts"
import type { PayloadClassifier } from "../../src/ports.ts"
import { type Row, row } from "../harness.ts"

export interface DetectorFigures {
  readonly judged: readonly JudgedPayload[]
  readonly plain: PayloadReport
  /** The same rows percent-encoded twice, attacks and benign ones alike. */
  readonly urlTwice: PayloadReport
  readonly padding?: PaddingReport
}

const URL_TWICE = TRANSFORMATIONS.find(({ name }) => name === "url_twice")
const SAMPLE = { rowsMax: 12_000, seed: 1 }

/** Judges the rows as they stand, encoded twice and, unless quick, hidden in 4 KB of benign text. */
export function measureDetector(
  classifier: PayloadClassifier,
  rows: readonly LabelledPayload[],
  options: { readonly quick: boolean },
): DetectorFigures {
  const judged = rows.map((row) => judge(row, classifier))
  const encoded = rows.map((row) =>
    judge({ ...row, text: URL_TWICE?.apply(row.text) ?? row.text }, classifier),
  )
  const padding = options.quick ? undefined : padded(rows, classifier)
  return {
    judged,
    plain: reportOf(judged),
    urlTwice: reportOf(encoded),
    ...(padding && { padding }),
  }
}

function padded(rows: readonly LabelledPayload[], classifier: PayloadClassifier) {
  const sample = new RowSample(SAMPLE)
  for (const row of rows) sample.offer(row)
  return measurePadding(sample, classifier, SAMPLE.seed)
}

/** What stands in the result of one detector; a share that has no meaning for it is left out. */
export function detectorRows(
  name: string,
  figures: DetectorFigures,
  options: { readonly hasScore: boolean; readonly microseconds: number | null },
): readonly Row[] {
  const { judged, plain, urlTwice, padding } = figures
  const byRate = options.hasScore ? plain.recallAtFpr : {}
  const shares: Readonly<Record<string, number | null | undefined>> = {
    recall: plain.recall,
    "false positive rate": plain.fpr,
    ...Object.fromEntries(
      Object.entries(byRate).map(([rate, recall]) => [`recall at fpr ${rate}`, recall]),
    ),
    "right class": rightShare(judged),
    ...rightByClass(plain),
    "recall, url twice": urlTwice.recall,
    "false positive rate, url twice": urlTwice.fpr,
    "recall, padded to 4 KB": padding?.recall,
    "false positive rate, benign 4 KB": padding?.fpr,
    ...(options.hasScore && { "recall at fpr 0.01, padded to 4 KB": padding?.recallAtRate }),
  }
  const rows = Object.entries(shares).flatMap(([figure, value]) =>
    typeof value === "number" ? [row({ name: `${name}: ${figure}`, value, unit: "share" })] : [],
  )
  const time = options.microseconds
  if (time === null) return rows
  return [...rows, row({ name: `${name}: time, median`, value: time, unit: "us/payload" })]
}

/** Share of attacks whose class was named. */
function rightShare(judged: readonly JudgedPayload[]): number | null {
  const attacks = judged.filter(({ label }) => label !== "benign")
  const right = attacks.filter(({ label, predicted }) => label === predicted).length
  return attacks.length === 0 ? null : right / attacks.length
}

function rightByClass({ byClass }: PayloadReport): Readonly<Record<string, number>> {
  const attacks = Object.entries(byClass).filter(
    ([name, { support }]) => name !== "benign" && support > 0,
  )
  return Object.fromEntries(attacks.map(([name, { recall }]) => [`right class, ${name}`, recall]))
}
