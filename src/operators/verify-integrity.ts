import { ObjectNotFoundError } from "../errors.ts"
import type { EvidenceEvent, FetchedEvidence, VerifiedEvidence } from "../events.ts"
import { firstRequestMs } from "../evidence/har.ts"
import { type Verification, verifyObject, verifyPrefix } from "../evidence/verify-evidence.ts"
import type { Operator } from "../stream/types.ts"

/**
 * Passes evidence on only if every digest announced for it is that of its bytes, and reads it.
 *
 * Out: the document; `integrity` "unverified" where nothing was announced. A bare document takes its
 * session id and event time from what it holds, so that it gives the same verdict every time.
 * @throws HashMismatchError, ManifestError, MalformedError, ArchiveRefusedError; none retryable
 */
export function verifyIntegrity(): Operator<FetchedEvidence, VerifiedEvidence> {
  return {
    name: "verify_integrity",
    concurrency: 4,
    timeoutMs: 60_000,
    async process({ objects, ...event }, { signal }) {
      const { sessionId, ...verification } = await verify(objects, event, signal)
      if (event.form !== "document") return { ...event, ...verification }
      return {
        ...event,
        ...verification,
        sessionId: sessionId ?? event.sessionId,
        eventTimeMs: firstRequestMs(verification.document.har) ?? event.eventTimeMs,
      }
    },
  }
}

function verify(
  objects: FetchedEvidence["objects"],
  event: EvidenceEvent,
  signal: AbortSignal,
): Promise<Verification> {
  const { location } = event
  if (location.kind === "prefix") return verifyPrefix(objects, location.prefix, event.sha256)
  const object = objects[0]
  if (object === undefined) throw new ObjectNotFoundError()
  return verifyObject(object, event, signal)
}
