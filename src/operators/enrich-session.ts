import type { EnrichedEvidence, VerifiedEvidence } from "../events.ts"
import { readSession } from "../evidence/read-session.ts"
import { withMetadata } from "../evidence/session-context.ts"
import type { Operator } from "../stream/types.ts"

/**
 * Reads the session out of verified evidence: its requests, every payload mined from them, what the
 * producer extracted, and the context that the evidence's own metadata adds.
 *
 * @throws MalformedError naming the HAR or metadata field
 */
export function enrichSession(): Operator<VerifiedEvidence, EnrichedEvidence> {
  return {
    name: "enrich_session",
    concurrency: 4,
    process({ document, ...evidence }) {
      const context = withMetadata(evidence.context, document.metadata)
      const session = readSession(document, { sessionId: evidence.sessionId, context })
      return { ...evidence, context, session }
    },
  }
}
