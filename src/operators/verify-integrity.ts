import { ObjectNotFoundError } from "../errors.ts"
import type { EvidenceEvent, FetchedEvidence, VerifiedEvidence } from "../events.ts"
import { documentTimeMs } from "../evidence/document-time.ts"
import { type Verification, verifyObject, verifyPrefix } from "../evidence/verify-evidence.ts"
import type { Operator, OperatorContext } from "../stream/types.ts"

/**
 * Passes evidence on only if every digest announced for it is that of its bytes, and reads it.
 *
 * Out: the document; `integrity` "unverified" where nothing was announced. A bare document takes its
 * session id and event time from what it holds, so that it gives the same verdict every time; where
 * it holds no time, that of its arrival stays.
 * @throws HashMismatchError, ManifestError, MalformedError, ArchiveRefusedError; none retryable
 */
export function verifyIntegrity(): Operator<FetchedEvidence, VerifiedEvidence> {
  return {
    name: "verify_integrity",
    concurrency: 4,
    timeoutMs: 60_000,
    process({ objects, ...event }, context) {
      const verification = verify(objects, event, context)
      return verification instanceof Promise
        ? verification.then((ready) => verifiedEvidence(event, ready))
        : verifiedEvidence(event, verification)
    },
  }
}

function verifiedEvidence(
  event: EvidenceEvent,
  { sessionId, ...verification }: Verification,
): VerifiedEvidence {
  if (event.form !== "document") return { ...event, ...verification }
  return {
    ...event,
    ...verification,
    sessionId: sessionId ?? event.sessionId,
    ...eventTimeOf(verification, event),
  }
}

function eventTimeOf(
  { document }: Pick<Verification, "document">,
  { eventTimeMs, eventTimeSource }: EvidenceEvent,
): Pick<EvidenceEvent, "eventTimeMs" | "eventTimeSource"> {
  const timeMs = documentTimeMs(document)
  if (timeMs === undefined) return { eventTimeMs, eventTimeSource }
  return { eventTimeMs: timeMs, eventTimeSource: "evidence" }
}

function verify(
  objects: FetchedEvidence["objects"],
  event: EvidenceEvent,
  context: OperatorContext,
): Promise<Verification> | Verification {
  const { location } = event
  if (location.kind === "prefix") return verifyPrefix(objects, location.prefix, event.sha256)
  const object = objects[0]
  if (object === undefined) throw new ObjectNotFoundError()
  return verifyObject(object, event, context)
}
