import type {
  AnomalyScore,
  JudgedEvidence,
  PayloadPrediction,
  PredictionDocument,
  ScoredEvidence,
  ScorerFailure,
  Verdict,
  VerdictWord,
} from "../events.ts"
import { redactCredentials } from "../evidence/redact.ts"
import { PAYLOAD_SCORE } from "../ml/explain/explanation.ts"
import { profileSession } from "../ml/sessions/profile.ts"
import type { AnomalyScorer, PayloadClassifier } from "../ports.ts"
import type { Operator } from "../stream/types.ts"
import { attackProbability, type PayloadScores, payloadScores } from "./payload-score.ts"

export interface CombineOptions {
  /** Sum to 1. */
  readonly weights: { readonly payload: number; readonly behavior: number }
  /** 0..1, tag <= simulate. */
  readonly thresholds: { readonly simulate: number; readonly tag: number }
  /** P(attack) from which the payloads decide alone, however calm their session. */
  readonly certainThreshold: number
}

/** Predictions in a verdict, the worst first; the rest are counted by `features.n_payloads`. */
export const PREDICTIONS_MAX = 50

const VALUE_CHARACTERS = 100
const REASON_CHARACTERS = 120
/** How far below a threshold a capped score stays: beyond rounding, and not to be seen. */
const BELOW = 1e-9

/**
 * The final score, 0..1: max(g(payload), w_p payload + w_b behavior).
 *
 * g is 0 below `certainThreshold` and rises from the simulate threshold to 1 above it. A worse
 * payload or behaviour never lowers the score. All scores 0..1.
 */
export function combineScores(
  scores: CombineOptions & { readonly payload: number; readonly behavior: number },
): number {
  const { payload, behavior, weights } = scores
  const mixed = weights.payload * payload + weights.behavior * behavior
  return Math.min(1, Math.max(certainScore(payload, scores), mixed))
}

function certainScore(payload: number, options: CombineOptions): number {
  const { certainThreshold, thresholds } = options
  if (payload < certainThreshold) return 0
  const width = 1 - certainThreshold
  const beyond = width > 0 ? (payload - certainThreshold) / width : 0
  return thresholds.simulate + (1 - thresholds.simulate) * beyond
}

export function verdictWord(
  finalScore: number,
  thresholds: CombineOptions["thresholds"],
): VerdictWord {
  if (finalScore >= thresholds.simulate) return "simulate"
  return finalScore >= thresholds.tag ? "tag" : "benign"
}

/**
 * The one score for which `combineScores` stands: that of the payloads which can be simulated, or
 * more where an attack of another kind makes it so, but then too little for the verdict `simulate`.
 */
export function cappedPayloadScore(
  payloads: PayloadScores,
  behavior: number,
  options: CombineOptions,
): number {
  const { weights, thresholds, certainThreshold } = options
  const left = thresholds.simulate - weights.behavior * behavior
  const mixedBelow = left >= weights.payload ? 1 : left / weights.payload
  const ceiling = Math.min(certainThreshold, mixedBelow) - BELOW
  return Math.max(payloads.simulated, Math.min(payloads.any, Math.max(0, ceiling)))
}

export interface CombineParts extends Omit<CombineOptions, "certainThreshold"> {
  readonly classifier: Pick<PayloadClassifier, "info" | "certainThreshold">
  readonly anomaly: Pick<AnomalyScorer, "info">
}

/**
 * Joins both scores into the verdict that leaves the flow.
 *
 * A scorer that failed counts as 0 and lifts the verdict to at least `tag`, `degraded: true`.
 */
export function combineScoresOperator(
  parts: CombineParts,
): Operator<ScoredEvidence, JudgedEvidence> {
  return {
    name: "combine_scores",
    process(evidence) {
      const { certainThreshold } = parts.classifier
      const options = { ...parts, certainThreshold }
      const scores = readScores(evidence, options)
      const combined = combineScores({ ...options, ...scores })
      const degraded = scores.degradedReasons.length > 0
      const finalScore = degraded ? Math.max(combined, options.thresholds.tag) : combined
      const judged = { ...scores, finalScore, verdict: verdictWord(finalScore, options.thresholds) }
      const verdict = verdictDocument(evidence, judged, parts)
      return { ...evidence, certainThreshold, verdict }
    },
  }
}

interface SessionScores {
  readonly payload: number
  readonly behavior: number
  readonly predictions: readonly PayloadPrediction[]
  readonly anomaly: AnomalyScore | undefined
  readonly degradedReasons: readonly string[]
}

function readScores(evidence: ScoredEvidence, options: CombineOptions): SessionScores {
  const { classification, anomaly } = evidence.scores
  const degradedReasons: string[] = []
  if (isFailure(classification)) {
    degradedReasons.push(reason("payload classifier", classification.failed))
  }
  if (isFailure(anomaly)) degradedReasons.push(reason("anomaly scorer", anomaly.failed))
  const predictions = isFailure(classification) ? [] : classification
  if (predictions.some(({ method, degraded }) => degraded === true || method === "degraded")) {
    degradedReasons.push(reason("payload classifier", "answered without its model"))
  }
  const score = isFailure(anomaly) ? undefined : anomaly
  const behavior = score?.score ?? 0
  return {
    payload: cappedPayloadScore(payloadScores(predictions), behavior, options),
    behavior,
    predictions,
    anomaly: score,
    degradedReasons,
  }
}

function isFailure(result: object): result is ScorerFailure {
  return "failed" in result
}

function reason(scorer: string, failed: string): string {
  return `${scorer}: ${failed.replace(/\p{C}/gu, " ").slice(0, REASON_CHARACTERS)}`
}

function verdictDocument(
  evidence: ScoredEvidence,
  judged: SessionScores & { finalScore: number; verdict: VerdictWord },
  parts: CombineParts,
): Verdict {
  const { session } = evidence
  const predicted = judged.predictions.length > 0 ? judged.predictions : undefined
  return {
    event_id: evidence.eventId,
    session_id: evidence.sessionId,
    timestamp: new Date(evidence.eventTimeMs).toISOString(),
    timestamp_source: evidence.eventTimeSource,
    verdict: judged.verdict,
    final_score: judged.finalScore,
    payload_score: judged.payload,
    behavioral_score: judged.behavior,
    behavioral_method: judged.anomaly?.method ?? "degraded",
    payload_predictions: predictionDocuments(judged.predictions),
    // With it, POST explain can be asked again about the features of a verdict.
    features: { ...evidence.features, [PAYLOAD_SCORE]: judged.payload },
    integrity: evidence.integrity,
    evidence_sha256: evidence.evidenceSha256,
    model: {
      payload: predicted?.[0]?.model ?? parts.classifier.info.modelId,
      anomaly: judged.anomaly?.model ?? parts.anomaly.info.modelId,
    },
    degraded: judged.degradedReasons.length > 0,
    degraded_reasons: judged.degradedReasons,
    truncated: session.truncated,
    profile: profileSession(session, predicted),
    context: contextDocument(evidence),
  }
}

function predictionDocuments(predictions: readonly PayloadPrediction[]): PredictionDocument[] {
  return worstFirst(predictions)
    .slice(0, PREDICTIONS_MAX)
    .map((prediction) => ({
      payload_id: prediction.payload.id,
      payload_value: shownValue(prediction),
      class: prediction.class,
      confidence: prediction.confidence,
      method: prediction.method,
      location: prediction.payload.location,
    }))
}

/** By P(attack), descending; ties keep the order of the session. */
export function worstFirst(predictions: readonly PayloadPrediction[]): PayloadPrediction[] {
  return [...predictions].sort((a, b) => attackProbability(b) - attackProbability(a))
}

function shownValue({ payload }: PayloadPrediction): string {
  return redactCredentials(payload.text, payload.location).slice(0, VALUE_CHARACTERS).toWellFormed()
}

function contextDocument(evidence: ScoredEvidence): Verdict["context"] {
  const { tags, attackerIp, country, asn } = evidence.session.context
  return {
    source: evidence.source,
    tags,
    ...(attackerIp === undefined ? {} : { attacker_ip: attackerIp }),
    ...(country === undefined ? {} : { country }),
    ...(asn === undefined ? {} : { asn }),
  }
}
