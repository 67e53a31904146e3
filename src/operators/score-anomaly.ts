import type { AnomalyScore, FeaturizedEvidence } from "../events.ts"
import type { AnomalyScorer } from "../ports.ts"
import type { Operator } from "../stream/types.ts"

/** Scores how unusual the behaviour of the session is, 0..1, by the forest or the heuristic. */
export function scoreAnomaly(scorer: AnomalyScorer): Operator<FeaturizedEvidence, AnomalyScore> {
  return {
    name: "score_anomaly",
    onFailure: "degraded",
    process: (evidence) => scorer.score(evidence.features),
  }
}
