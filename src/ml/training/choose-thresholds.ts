import { judge } from "../evaluation/evaluate-payloads.ts"
import type { LabelledPayload } from "../evaluation/labelled-payloads.ts"
import { FALSE_POSITIVE_RATES } from "../evaluation/payload-report.ts"
import type { LinearModel } from "../models/linear-onnx.ts"
import { draftClassifier } from "./draft-classifier.ts"
import type { HeldOutFold } from "./fit-payload-model.ts"

/** Of the rows that training left out, one in so many is judged. */
const HELD_OUT_STEP = 4
/** From so many rows on every source counts alike; one of fewer counts by its rows. */
const SOURCE_ROWS_MIN = 1_000
/** Share of benign payloads that may look certain to be an attack. */
const CERTAIN_RATE = 0.001
const CERTAIN_MIN = 0.9
const CERTAIN_MAX = 0.9999

/** A benign row's P(attack), and how much the row counts. */
interface BenignScore {
  readonly score: number
  readonly source: string
}

/**
 * P(attack) that the asked shares of benign texts exceed, judged as they will be in service: the mean
 * over the sources of rows that no model learnt from (`unseen`), and of the sources that training
 * left out, by the models that had not seen them. One set alone would flatter its own threshold.
 */
export function chooseThresholds(
  model: LinearModel,
  unseen: readonly LabelledPayload[],
  heldOut: readonly HeldOutFold[],
): Pick<LinearModel, "thresholds" | "certainThreshold"> {
  const scores = [
    ...benignScores(model, unseen),
    ...heldOut.flatMap(({ weights, rows }) =>
      benignScores(
        { ...model, weights },
        rows.filter((_, index) => index % HELD_OUT_STEP === 0),
      ),
    ),
  ]
  const thresholdOf = thresholdsBySource(scores)
  const thresholds = FALSE_POSITIVE_RATES.map((rate) => [`${rate}`, thresholdOf(rate)] as const)
  const certain = Math.min(CERTAIN_MAX, Math.max(CERTAIN_MIN, thresholdOf(CERTAIN_RATE)))
  return { thresholds: Object.fromEntries(thresholds), certainThreshold: certain }
}

function benignScores(
  model: LinearModel,
  rows: readonly LabelledPayload[],
): readonly BenignScore[] {
  const classifier = draftClassifier(model)
  return rows
    .filter(({ label }) => label === "benign")
    .map((row) => ({ score: judge(row, classifier).attackProbability, source: row.source }))
}

/** The lowest score that at most a share `rate` of the weighted scores exceeds. */
function thresholdsBySource(scores: readonly BenignScore[]): (rate: number) => number {
  const sizes = new Map<string, number>()
  for (const { source } of scores) sizes.set(source, (sizes.get(source) ?? 0) + 1)
  const weighted = scores
    .map(({ score, source }) => ({
      score,
      weight: 1 / Math.max(SOURCE_ROWS_MIN, sizes.get(source) ?? 0),
    }))
    .sort((left, right) => right.score - left.score)
  const total = weighted.reduce((sum, { weight }) => sum + weight, 0)
  return (rate) => {
    let above = 0
    for (const { score, weight } of weighted) {
      above += weight
      if (above > rate * total) return score
    }
    return 0
  }
}
