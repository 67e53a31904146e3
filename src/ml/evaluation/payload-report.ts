import { PAYLOAD_CLASSES, type PayloadClass } from "../../events.ts"

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
  /** Mean F1 over the classes that have rows here. */
  readonly macroF1: number | null
  /** Share of attacks above the score that at most this share of benign rows exceeds. */
  readonly recallAtFpr: Readonly<Record<"0.001" | "0.005" | "0.01", number | null>>
  /** Expected calibration error of the predicted class, 15 bins of equal width. */
  readonly ece: number
  readonly byClass: Readonly<Record<string, ClassReport>>
}

const ECE_BINS = 15

/** Summarises judged payloads; pure, order does not matter. */
export function reportOf(rows: readonly JudgedPayload[]): PayloadReport {
  const benign = rows.filter((row) => row.label === "benign")
  const attacks = rows.filter((row) => row.label !== "benign")
  const caught = attacks.filter((row) => row.predicted !== "benign").length
  const alarms = benign.filter((row) => row.predicted !== "benign").length
  const precision = ratio(caught, caught + alarms)
  const recall = ratio(caught, attacks.length)
  const byClass = Object.fromEntries(PAYLOAD_CLASSES.map((name) => [name, classReport(rows, name)]))
  return {
    rows: rows.length,
    attacks: attacks.length,
    precision,
    recall,
    f1: precision === null || recall === null ? null : harmonicMean(precision, recall),
    fpr: ratio(alarms, benign.length),
    macroF1: macroF1(Object.values(byClass)),
    recallAtFpr: {
      "0.001": recallAt(attacks, benign, 0.001),
      "0.005": recallAt(attacks, benign, 0.005),
      "0.01": recallAt(attacks, benign, 0.01),
    },
    ece: calibrationError(rows),
    byClass,
  }
}

function classReport(rows: readonly JudgedPayload[], name: PayloadClass): ClassReport {
  const support = rows.filter((row) => row.label === name).length
  const predicted = rows.filter((row) => row.predicted === name).length
  const right = rows.filter((row) => row.label === name && row.predicted === name).length
  const precision = ratio(right, predicted) ?? 0
  const recall = ratio(right, support) ?? 0
  return { support, precision, recall, f1: harmonicMean(precision, recall) }
}

function macroF1(classes: readonly ClassReport[]): number | null {
  const present = classes.filter(({ support }) => support > 0)
  return ratio(
    present.reduce((total, { f1 }) => total + f1, 0),
    present.length,
  )
}

function recallAt(
  attacks: readonly JudgedPayload[],
  benign: readonly JudgedPayload[],
  fpr: number,
): number | null {
  if (benign.length === 0 || attacks.length === 0) return null
  const threshold = thresholdAt(
    benign.map((row) => row.attackProbability),
    fpr,
  )
  return attacks.filter((row) => row.attackProbability > threshold).length / attacks.length
}

/** The lowest score that at most a share `fpr` of the benign scores exceed. */
export function thresholdAt(benignScores: readonly number[], fpr: number): number {
  const descending = benignScores.toSorted((left, right) => right - left)
  return descending[Math.floor(descending.length * fpr)] ?? 0
}

function calibrationError(rows: readonly JudgedPayload[]): number {
  const bins = Array.from({ length: ECE_BINS }, () => ({ confidence: 0, right: 0 }))
  for (const { confidence, label, predicted } of rows) {
    const bin = bins[Math.min(ECE_BINS - 1, Math.floor(confidence * ECE_BINS))]
    if (bin === undefined) continue
    bin.confidence += confidence
    bin.right += label === predicted ? 1 : 0
  }
  const gap = bins.reduce((total, bin) => total + Math.abs(bin.confidence - bin.right), 0)
  return gap / Math.max(1, rows.length)
}

function ratio(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole
}

function harmonicMean(left: number, right: number): number {
  return left + right === 0 ? 0 : (2 * left * right) / (left + right)
}
