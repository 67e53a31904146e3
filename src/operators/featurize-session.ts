import type { EnrichedEvidence, FeaturizedEvidence } from "../events.ts"
import { featurize } from "../ml/sessions/featurize.ts"
import type { Operator } from "../stream/types.ts"

/** Adds every feature of the table, all finite and in range, to the session. */
export function featurizeSession(): Operator<EnrichedEvidence, FeaturizedEvidence> {
  return {
    name: "featurize_session",
    process: (evidence) => ({ ...evidence, features: featurize(evidence.session) }),
  }
}
