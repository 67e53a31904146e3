import type { JudgedPayload } from "./payload-report.ts"

/** What one threshold on P(attack) gives. */
export interface CurvePoint {
  /** Rows at and above it are called attacks. */
  readonly threshold: number
  readonly recall: number
  readonly precision: number
  readonly fpr: number
}

/** Neighbours nearer than this, in recall and in decades of FPR, would look like one point. */
const RECALL_STEP = 0.005
const DECADES_STEP = 0.05

/**
 * Recall, precision and false positive rate of every threshold, from the strictest on: the
 * precision-recall curve. Empty where there are no attacks or no benign rows.
 */
export function thresholdCurve(rows: readonly JudgedPayload[]): readonly CurvePoint[] {
  const attacks = rows.filter(({ label }) => label !== "benign").length
  const benign = rows.length - attacks
  if (attacks === 0 || benign === 0) return []
  const falling = rows.toSorted((left, right) => right.attackProbability - left.attackProbability)
  const points: CurvePoint[] = []
  let [caught, alarms] = [0, 0]
  falling.forEach((row, index) => {
    if (row.label === "benign") alarms += 1
    else caught += 1
    if (falling[index + 1]?.attackProbability === row.attackProbability) return
    points.push({
      threshold: row.attackProbability,
      recall: caught / attacks,
      precision: caught / (caught + alarms),
      fpr: alarms / benign,
    })
  })
  return thinned(points)
}

/** Keeps the ends and, between them, points that a step of recall or of log FPR sets apart. */
function thinned(points: readonly CurvePoint[]): readonly CurvePoint[] {
  const kept: CurvePoint[] = []
  points.forEach((point, index) => {
    const last = kept.at(-1)
    const isEnd = index === points.length - 1
    if (last === undefined || isEnd || isApart(last, point)) kept.push(point)
  })
  return kept
}

function isApart(left: CurvePoint, right: CurvePoint): boolean {
  const decades = Math.log10((right.fpr + 1e-6) / (left.fpr + 1e-6))
  return right.recall - left.recall >= RECALL_STEP || decades >= DECADES_STEP
}
