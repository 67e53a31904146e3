/** What calibration looks at: the predicted class's probability, and whether it was right. */
export interface RatedAnswer {
  /** 0..1 */
  readonly confidence: number
  readonly label: string
  readonly predicted: string
}

/** Answers of nearly equal confidence. */
export interface ReliabilityBin {
  readonly rows: number
  /** Mean over the bin, 0..1. */
  readonly confidence: number
  /** Share of right answers, 0..1. */
  readonly accuracy: number
}

export const RELIABILITY_BINS = 15

/**
 * Splits answers by confidence into at most 15 bins of equal mass, the least confident first.
 * Equal confidences share a bin, so the order of the rows does not matter.
 */
export function reliabilityBins(rows: readonly RatedAnswer[]): readonly ReliabilityBin[] {
  const sorted = rows.toSorted((left, right) => left.confidence - right.confidence)
  const bins: ReliabilityBin[] = []
  let start = 0
  for (let index = 0; index < RELIABILITY_BINS; index++) {
    const end = endOfTie(sorted, Math.floor(((index + 1) * sorted.length) / RELIABILITY_BINS))
    if (end <= start) continue
    bins.push(binOf(sorted.slice(start, end)))
    start = end
  }
  return bins
}

function endOfTie(sorted: readonly RatedAnswer[], end: number): number {
  let tie = end
  while (tie > 0 && tie < sorted.length && isTie(sorted[tie - 1], sorted[tie])) tie += 1
  return tie
}

function isTie(left: RatedAnswer | undefined, right: RatedAnswer | undefined): boolean {
  return left?.confidence === right?.confidence
}

function binOf(rows: readonly RatedAnswer[]): ReliabilityBin {
  let [confidence, right] = [0, 0]
  for (const row of rows) {
    confidence += row.confidence
    if (row.label === row.predicted) right += 1
  }
  return { rows: rows.length, confidence: confidence / rows.length, accuracy: right / rows.length }
}

/**
 * Expected calibration error: the mean distance of confidence and accuracy, 0..1; 0 without rows.
 *
 * @see Nixon, Dusenberry, Zhang, Jerfel, Tran 2019, "Measuring Calibration in Deep Learning"
 */
export function calibrationError(bins: readonly ReliabilityBin[]): number {
  const rows = bins.reduce((total, bin) => total + bin.rows, 0)
  const gap = bins.reduce((sum, bin) => sum + bin.rows * Math.abs(bin.confidence - bin.accuracy), 0)
  return rows === 0 ? 0 : gap / rows
}
