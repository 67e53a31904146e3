import type {
  ExplainedVerdict,
  Explanation,
  Features,
  JudgedEvidence,
  PayloadPrediction,
  PayloadSpan,
  VerdictWord,
} from "../events.ts"
import { redactedStretches } from "../evidence/redact.ts"
import { backgroundFeatures } from "../ml/explain/background.ts"
import { explanationDocument, importancesOf, PAYLOAD_SCORE } from "../ml/explain/explanation.ts"
import { narrate } from "../ml/explain/narrative.ts"
import type { Combine } from "../ml/explain/shapley.ts"
import { ScoreExplainer } from "../ml/explain/shapley.ts"
import type { AttributableScorer } from "../ml/models/attributable-scorer.ts"
import { completeFeatures } from "../ml/sessions/featurize.ts"
import type { PayloadClassifier } from "../ports.ts"
import type { Operator } from "../stream/types.ts"
import type { CombineOptions } from "./combine-scores.ts"
import { combineScores, worstFirst } from "./combine-scores.ts"
import { attackProbability } from "./payload-score.ts"
import { suspectPayloads } from "./suspect-payloads.ts"

export interface ExplainParts extends Omit<CombineOptions, "certainThreshold"> {
  readonly classifier: Pick<PayloadClassifier, "certainThreshold" | "explain">
  readonly anomaly: AttributableScorer
}

/** Payloads whose spans are shown, the worst first. */
const EXPLAINED_PAYLOADS_MAX = 3
/** P(attack) from which a payload's spans are shown. */
const EXPLAINED_FROM = 0.5

/**
 * Adds the explanation: Shapley values of the final score, spans of the worst payloads, narrative;
 * to a session that is to be simulated also its suspect payloads.
 * Made of the evidence alone, `generated_at` included: the same evidence gives the same bytes.
 */
export function explainVerdict(parts: ExplainParts): Operator<JudgedEvidence, ExplainedVerdict> {
  const explainer = new ScoreExplainer(parts.anomaly, backgroundFeatures())
  return {
    name: "explain_verdict",
    process(evidence) {
      const { idempotencyKey, eventTimeMs, verdict } = evidence
      const explanation = explainEvidence(evidence, { parts, explainer })
      const explained = { idempotencyKey, eventTimeMs, verdict, explanation }
      if (verdict.verdict !== "simulate") return explained
      const suspects = suspectPayloads(predictionsOf(evidence), parts.thresholds.tag)
      return { ...explained, suspects }
    },
  }
}

function explainEvidence(
  evidence: JudgedEvidence,
  { parts, explainer }: { parts: ExplainParts; explainer: ScoreExplainer },
): Explanation {
  const { verdict, features } = evidence
  const payloadScore = verdict.payload_score
  const combine = combineOf(parts, {
    floor: verdict.degraded ? parts.thresholds.tag : 0,
    behaviorKnown: verdict.behavioral_method !== "degraded",
    certainThreshold: evidence.certainThreshold,
  })
  const attribution = explainer.explain({ features, payload: payloadScore, combine })
  const importances = importancesOf(attribution, { features, payloadScore })
  return explanationDocument({
    sessionId: verdict.session_id,
    verdict: verdict.verdict,
    attribution,
    importances,
    narrative: narrate({
      verdict: verdict.verdict,
      finalScore: verdict.final_score,
      payloadScore,
      behaviorScore: verdict.behavioral_score,
      importances,
      usual: attribution.usual,
      document: verdict,
    }),
    payloadSpans: payloadSpans(predictionsOf(evidence), parts.classifier),
    generatedAt: verdict.timestamp,
  })
}

function predictionsOf({ scores }: JudgedEvidence): readonly PayloadPrediction[] {
  return "failed" in scores.classification ? [] : scores.classification
}

/** The combination that the verdict went through: degraded ones have a floor, or no behaviour. */
function combineOf(
  parts: ExplainParts,
  judged: { floor: number; behaviorKnown: boolean; certainThreshold: number },
): Combine {
  const options = { ...parts, certainThreshold: judged.certainThreshold }
  return (payload, behavior) => {
    const known = judged.behaviorKnown ? behavior : 0
    return Math.max(judged.floor, combineScores({ ...options, payload, behavior: known }))
  }
}

function payloadSpans(
  predictions: readonly PayloadPrediction[],
  classifier: ExplainParts["classifier"],
): PayloadSpan[] {
  const attacks = predictions.filter((given) => attackProbability(given) >= EXPLAINED_FROM)
  return worstFirst(attacks)
    .slice(0, EXPLAINED_PAYLOADS_MAX)
    .flatMap((prediction) => {
      const { text, kind, id, location } = prediction.payload
      const shown = redactedStretches(text, location)
      return classifier.explain({ text, kind }, undefined, prediction.model).map((span) => ({
        ...span,
        payload_id: id,
        text: shown(span.start, span.end),
      }))
    })
}

/** Answers POST explain: any subset of the features, completed with their defaults. */
export type FeatureExplainer = (features: Features, verdict: VerdictWord) => Explanation

/**
 * Explains features without their evidence. A payload score is taken from `payload_score`, as the
 * features of a verdict hold it; without one it is 0. `final_score` is computed from what was
 * given, so it can differ from that of the verdict in question; the narrative says so.
 *
 * @param nowMs epoch milliseconds, for `generated_at`
 */
export function featureExplainer(parts: ExplainParts, nowMs: () => number): FeatureExplainer {
  const explainer = new ScoreExplainer(parts.anomaly, backgroundFeatures())
  return (given, verdict) => {
    const { certainThreshold } = parts.classifier
    const combine = combineOf(parts, { floor: 0, behaviorKnown: true, certainThreshold })
    const features = completeFeatures(given)
    const payloadScore = givenPayloadScore(given)
    const attribution = explainer.explain({ features, payload: payloadScore, combine })
    const { finalScore, behaviorScore, usual } = attribution
    const importances = importancesOf(attribution, { features, payloadScore })
    const scores = { verdict, finalScore, payloadScore, behaviorScore }
    return explanationDocument({
      sessionId: "",
      verdict,
      attribution,
      importances,
      narrative: narrate({ ...scores, importances, usual }),
      payloadSpans: [],
      generatedAt: new Date(nowMs()).toISOString(),
    })
  }
}

function givenPayloadScore(features: Features): number {
  const given = Object.hasOwn(features, PAYLOAD_SCORE) ? (features[PAYLOAD_SCORE] ?? 0) : 0
  return Number.isFinite(given) ? Math.min(1, Math.max(0, given)) : 0
}
