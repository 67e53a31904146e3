import type {
  AnomalyScore,
  FeaturizedEvidence,
  PayloadPrediction,
  ScoredEvidence,
  ScorerFailure,
  SessionPayload,
} from "../../src/events.ts"
import { featurize } from "../../src/ml/sessions/featurize.ts"
import type { SessionTruth } from "../../src/ml/sessions/generate-sessions.ts"
import { generateSessions } from "../../src/ml/sessions/generate-sessions.ts"

/** A prediction whose P(attack) is `attack`; the rest of the record is plausible. */
export function prediction(
  attack: number,
  payload: Partial<SessionPayload> = {},
): PayloadPrediction {
  const name = attack >= 0.5 ? "sql_injection" : "benign"
  return {
    class: name,
    confidence: Math.max(attack, 1 - attack),
    probabilities: { sql_injection: attack, benign: 1 - attack },
    method: "ml",
    model: "payload-test",
    payload: {
      id: "p0",
      text: `text ${attack}`,
      kind: "param",
      location: "query:q",
      origin: "har",
      requestIndex: 0,
      ...payload,
    },
  }
}

/** The seeded session number `seed` of a truth, featurized, as the flow would hold it. */
export function featurized(seed: number, truth: SessionTruth = "benign"): FeaturizedEvidence {
  const [drawn] = generateSessions({ seed, count: 1, mix: { [truth]: 1 } })
  if (drawn === undefined) throw new Error("one session was asked for")
  const { session } = drawn
  return {
    form: "document",
    eventId: "event-1",
    idempotencyKey: "event-1",
    sessionId: session.sessionId,
    eventTimeMs: Date.UTC(2026, 0, 5),
    eventTimeSource: "event",
    source: "test",
    location: { kind: "object", bucket: "b", key: "k" },
    sha256: undefined,
    context: session.context,
    integrity: "verified",
    evidenceSha256: "0".repeat(64),
    session,
    features: featurize(session),
  }
}

export function scored(
  evidence: FeaturizedEvidence,
  scores: {
    classification: readonly PayloadPrediction[] | ScorerFailure
    anomaly: AnomalyScore | ScorerFailure
  },
): ScoredEvidence {
  return { ...evidence, scores }
}
