import type { ComparedFigure, FigureComparison } from "../../model-traffic.ts"
import type { ModelDescription } from "./model-catalog.ts"

/** What is compared, and the difference from which a model is clearly worse: far beyond chance on 10,000 payloads. */
const FIGURES = [
  { figure: "precision", better: "higher", clearly: 0.02 },
  { figure: "recall", better: "higher", clearly: 0.02 },
  { figure: "f1", better: "higher", clearly: 0.02 },
  { figure: "fpr", better: "lower", clearly: 0.01 },
  { figure: "recall_at_fpr_0_001", better: "higher", clearly: 0.02 },
] as const

/**
 * Holds what is registered of a model against what is registered of the live one. A model that meets every
 * gate may still be worse than what answers now.
 */
export function compareFigures(model: ModelDescription, live: ModelDescription): FigureComparison {
  const figures = FIGURES.map(({ figure }) => ({
    figure,
    model: model.info.metrics[figure] ?? null,
    live: live.info.metrics[figure] ?? null,
  }))
  const { judgedOn } = model
  const isSameSet = judgedOn !== null && Bun.deepEquals(judgedOn, live.judgedOn)
  const otherSet =
    "measured on other payloads than those of the live model: only a trial on your traffic compares them (shadow: a share of 0)"
  return {
    ...{ modelId: model.info.modelId, live: live.info.modelId },
    figures,
    judgedOn,
    liveJudgedOn: live.judgedOn,
    warnings: [...(isSameSet ? [] : [otherSet]), ...figures.flatMap(warningOf)],
  }
}

function warningOf({ figure, model, live }: ComparedFigure): readonly string[] {
  const rule = FIGURES.find((each) => each.figure === figure)
  if (rule === undefined || model === null || live === null) return []
  const worse = rule.better === "higher" ? live - model : model - live
  // figures are written with six digits: what is exactly the limit must not fall to rounding
  if (worse < rule.clearly - 1e-9) return []
  return [`${figure} is ${model}, that of the live model ${live}`]
}
