import { PAYLOAD_CLASSES, type PayloadClass } from "../../events.ts"
import { calibrationError, reliabilityBins } from "./calibration.ts"

/** Shares of benign rows that may be called attacks, at which recall is reported. */
export const FALSE_POSITIVE_RATES = [0.01, 0.005, 0.001, 0.0002] as const
export type FalsePositiveRate = `${(typeof FALSE_POSITIVE_RATES)[number]}`

/** A payload with its truth and what a classifier said of it. */
export interface JudgedPayload {
  readonly label: PayloadClass
  readonly predicted: string
  /** 1 - P(benign) */
  readonly attackProbability: number
  /** Probability of the predicted class. */
  readonly confidence: number
}

export interface ClassReport {
  readonly support: number
  readonly precision: number
  readonly recall: number
  readonly f1: number
}

/** How a classifier did on one set of payloads; null where a figure has no meaning there. */
export interface PayloadReport {
  readonly rows: number
  readonly attacks: number
  /** Attack against benign, by the predicted class. */
  readonly precision: number | null
  readonly recall: number | null
  readonly f1: number | null
  readonly fpr: number | null
  /** Mean F1 over those of the five classes that have rows here; `other_attack` is none of them. */
  readonly macroF1: number | null
  /** Share of attacks above the score that at most this share of benign rows exceeds. */
  readonly recallAtFpr: Readonly<Record<FalsePositiveRate, number | null>>
  /** Expected calibration error of the predicted class, 15 bins of equal mass. */
  readonly ece: number
  readonly byClass: Readonly<Record<string, ClassReport>>
}

/** The five that the macro-F1 is over, and that every report has. */
export const MAIN_CLASSES: readonly string[] = PAYLOAD_CLASSES.filter(
  (name) => `${name}` !== "other_attack",
)

/** Summarises judged payloads; pure, order does not matter. */
export function reportOf(rows: readonly JudgedPayload[]): PayloadReport {
  const benign = rows.filter((row) => row.label === "benign")
  const attacks = rows.filter((row) => row.label !== "benign")
  const caught = attacks.filter((row) => row.predicted !== "benign").length
  const alarms = benign.filter((row) => row.predicted !== "benign").length
  const precision = attacks.length === 0 ? null : ratio(caught, caught + alarms)
  const recall = ratio(caught, attacks.length)
  const byClass = Object.fromEntries(classesOf(rows).map((name) => [name, classReport(rows, name)]))
  return {
    rows: rows.length,
    attacks: attacks.length,
    precision,
    recall,
    f1: precision === null || recall === null ? null : harmonicMean(precision, recall),
    fpr: ratio(alarms, benign.length),
    macroF1: macroF1(byClass),
    recallAtFpr: recallsAt(attacks, benign),
    ece: calibrationError(reliabilityBins(rows)),
    byClass,
  }
}

/** The five, then whatever else was meant or said. */
function classesOf(rows: readonly JudgedPayload[]): readonly string[] {
  return [...new Set([...MAIN_CLASSES, ...rows.flatMap((row) => [row.label, row.predicted])])]
}

function classReport(rows: readonly JudgedPayload[], name: string): ClassReport {
  const support = rows.filter((row) => row.label === name).length
  const predicted = rows.filter((row) => row.predicted === name).length
  const right = rows.filter((row) => row.label === name && row.predicted === name).length
  const precision = ratio(right, predicted) ?? 0
  const recall = ratio(right, support) ?? 0
  return { support, precision, recall, f1: harmonicMean(precision, recall) }
}

function macroF1(byClass: Readonly<Record<string, ClassReport>>): number | null {
  const present = MAIN_CLASSES.flatMap((name) => byClass[name] ?? []).filter(
    ({ support }) => support > 0,
  )
  return ratio(
    present.reduce((total, { f1 }) => total + f1, 0),
    present.length,
  )
}

function recallsAt(
  attacks: readonly JudgedPayload[],
  benign: readonly JudgedPayload[],
): Record<FalsePositiveRate, number | null> {
  const scores = benign.map((row) => row.attackProbability)
  const recall = (rate: number) =>
    benign.length === 0 ? null : shareAbove(attacks, thresholdAt(scores, rate))
  return {
    "0.01": recall(0.01),
    "0.005": recall(0.005),
    "0.001": recall(0.001),
    "0.0002": recall(0.0002),
  }
}

/** Share of rows whose P(attack) exceeds the threshold, 0..1; null without rows. */
export function shareAbove(rows: readonly JudgedPayload[], threshold: number): number | null {
  return ratio(rows.filter((row) => row.attackProbability > threshold).length, rows.length)
}

/** The lowest score that at most a share `fpr` of the benign scores exceed. */
export function thresholdAt(benignScores: readonly number[], fpr: number): number {
  const descending = benignScores.toSorted((left, right) => right - left)
  return descending[Math.floor(descending.length * fpr)] ?? 0
}

/** null where there is nothing to share. */
export function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole
}

export function harmonicMean(left: number, right: number): number {
  return left + right === 0 ? 0 : (2 * left * right) / (left + right)
}
