import type { ExplainedVerdict } from "../../src/events.ts"

/** A small, complete verdict; `content` makes two of them differ in what they say. */
export function explainedVerdict(
  eventId: string,
  fields: { sessionId?: string; key?: string; timeMs?: number; content?: string } = {},
): ExplainedVerdict {
  const sessionId = fields.sessionId ?? "session-1"
  const eventTimeMs = fields.timeMs ?? 1_700_000_000_000
  return {
    idempotencyKey: fields.key ?? eventId,
    eventTimeMs,
    verdict: {
      event_id: eventId,
      session_id: sessionId,
      timestamp: new Date(eventTimeMs).toISOString(),
      timestamp_source: "event",
      verdict: "tag",
      final_score: 0.6,
      payload_score: 0.6,
      behavioral_score: 0.5,
      behavioral_method: "forest",
      payload_predictions: [],
      features: { n_requests: 1 },
      integrity: "verified",
      evidence_sha256: "0".repeat(64),
      model: { payload: "p", anomaly: "a" },
      degraded: false,
      degraded_reasons: [],
      truncated: false,
      profile: {
        action_sequence: [],
        action_count: 0,
        ttps: [],
        intent: "unknown",
        sophistication_score: 0,
        duration_seconds: 0,
        unique_endpoints: 1,
        tool_signatures: [],
        summary: fields.content ?? "",
      },
      context: { source: "test", tags: [] },
    },
    explanation: {
      session_id: sessionId,
      verdict: "tag",
      final_score: 0.6,
      base_value: 0.6,
      narrative: "",
      feature_importances: [],
      shap_summary: {
        top_positive_features: [],
        top_negative_features: [],
        total_positive_contribution: 0,
        total_negative_contribution: 0,
      },
      top_contributors: [],
      top_contradictors: [],
      payload_spans: [],
      generated_at: new Date(eventTimeMs).toISOString(),
    },
  }
}
