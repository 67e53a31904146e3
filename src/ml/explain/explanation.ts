import type {
  Explanation,
  FeatureImportance,
  Features,
  PayloadSpan,
  VerdictWord,
} from "../../events.ts"
import { FEATURE_TABLE } from "../sessions/feature-table.ts"
import type { ScoreAttribution } from "./shapley.ts"

/** Entries in each of the top lists. */
const TOP_FEATURES = 5
/** The payload score's name among the features: it is a player like them. */
export const PAYLOAD_SCORE = "payload_score"

export interface ExplanationParts {
  readonly sessionId: string
  readonly verdict: VerdictWord
  readonly attribution: ScoreAttribution
  /** Of `importancesOf`. */
  readonly importances: readonly FeatureImportance[]
  readonly narrative: string
  readonly payloadSpans: readonly PayloadSpan[]
  /** ISO 8601 */
  readonly generatedAt: string
}

/** The wire form: complete over the feature table and the payload score, largest value first. */
export function explanationDocument(parts: ExplanationParts): Explanation {
  const { importances } = parts
  const ranked = contributorsOf(importances)
  return {
    session_id: parts.sessionId,
    verdict: parts.verdict,
    final_score: parts.attribution.finalScore,
    base_value: parts.attribution.baseValue,
    narrative: parts.narrative,
    feature_importances: importances,
    shap_summary: {
      top_positive_features: ranked.contributors.map(toShapEntry),
      top_negative_features: ranked.contradictors.map(toShapEntry),
      total_positive_contribution: sumOf(importances, (value) => Math.max(0, value)),
      total_negative_contribution: sumOf(importances, (value) => Math.min(0, value)),
    },
    top_contributors: ranked.contributors,
    top_contradictors: ranked.contradictors,
    payload_spans: parts.payloadSpans,
    generated_at: parts.generatedAt,
  }
}

/** Every feature of the table and the payload score, by absolute importance. */
export function importancesOf(
  attribution: ScoreAttribution,
  given: { features: Features; payloadScore: number },
): FeatureImportance[] {
  const { features, payloadScore } = given
  const importances = FEATURE_TABLE.map(({ name }) => ({
    feature: name,
    value: features[name] ?? 0,
    importance: attribution.features.get(name) ?? 0,
  }))
  importances.push({
    feature: PAYLOAD_SCORE,
    value: payloadScore,
    importance: attribution.payload,
  })
  return importances.sort((a, b) => Math.abs(b.importance) - Math.abs(a.importance))
}

/** What raised the score most and what lowered it most; `importances` by absolute importance. */
export function contributorsOf(importances: readonly FeatureImportance[]): {
  readonly contributors: FeatureImportance[]
  readonly contradictors: FeatureImportance[]
} {
  return {
    contributors: importances.filter(({ importance }) => importance > 0).slice(0, TOP_FEATURES),
    contradictors: importances.filter(({ importance }) => importance < 0).slice(0, TOP_FEATURES),
  }
}

function toShapEntry({ feature, value, importance }: FeatureImportance) {
  return { feature, value, shap_value: importance }
}

function sumOf(importances: readonly FeatureImportance[], part: (value: number) => number): number {
  return importances.reduce((sum, { importance }) => sum + part(importance), 0)
}
