import { MalformedError } from "../errors.ts"
import type { EvidenceDocument, Session, SessionContext } from "../events.ts"
import { readExtractedPayloads } from "./evidence-document.ts"
import { FieldReader, ID_CHARS_MAX, isJsonObject } from "./field-reader.ts"
import { type HarReading, readHar, readHarEntries } from "./har.ts"
import { minePayloads } from "./mine-payloads.ts"
import { PayloadCollector } from "./payload-collector.ts"

interface SessionIdentity {
  readonly sessionId: string
  readonly context: SessionContext
}

/**
 * Reads a session out of its evidence: the requests of the HAR, the payloads mined from them, and
 * what the producer extracted, merged by text and location.
 *
 * @throws MalformedError naming the HAR field
 */
export function readSession(
  document: Pick<EvidenceDocument, "har" | "extractedPayloads">,
  identity: SessionIdentity,
): Session {
  return buildSession(readHar(document.har), document.extractedPayloads, identity)
}

/**
 * Reads a session out of what a client of the API captured.
 *
 * @param captures a HAR document, a HAR log, its entries, or an evidence document with `har`
 * @throws MalformedError naming the field
 */
export function sessionFromCaptures(sessionId: string, captures: unknown): Session {
  if (sessionId === "" || sessionId.length > ID_CHARS_MAX) {
    throw new MalformedError("session_id", `1 to ${ID_CHARS_MAX} characters`)
  }
  const context = { tags: [], isTor: false, isVpn: false, priorPoiCount: 0 }
  const identity = { sessionId, context }
  if (Array.isArray(captures)) {
    return buildSession(readHarEntries(captures, "captures"), [], identity)
  }
  if (!isJsonObject(captures)) throw new MalformedError("captures", "a HAR log or its entries")
  const fields = new FieldReader(captures, "captures")
  if (!fields.has("har")) return buildSession(readHar(captures, "captures"), [], identity)
  const har = readHar(fields.value("har"), "captures.har")
  return buildSession(har, readExtractedPayloads(fields), identity)
}

function buildSession(
  har: HarReading,
  extracted: EvidenceDocument["extractedPayloads"],
  { sessionId, context }: SessionIdentity,
): Session {
  const collector = new PayloadCollector()
  for (const entry of har.entries) minePayloads(entry, collector)
  for (const payload of extracted) collector.addProduced(payload)
  return {
    sessionId,
    requests: har.entries.map((entry) => entry.request),
    payloads: collector.payloads(),
    context,
    truncated: har.truncated || collector.truncated,
  }
}
