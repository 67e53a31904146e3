import { MalformedError, TooLargeError } from "../errors.ts"
import type { EvidenceEvent } from "../events.ts"
import type { Enrichment } from "../ports.ts"
import { sha256Hex } from "./digest.ts"
import { FieldReader } from "./field-reader.ts"
import { decodeUtf8, parseJson } from "./json-text.ts"
import { parseObjectUri } from "./object-location.ts"
import { readAttackerIp, readContext, readTags } from "./session-context.ts"
import { parseTimestamp } from "./timestamp.ts"

/** An announcement is a pointer: no producer writes a larger one. */
export const EVENT_BYTES_MAX = 1_048_576
/** Largest piece of evidence as received: a document, or an archive still packed. */
export const EVIDENCE_BYTES_MAX = 33_554_432

/**
 * Form A, `events.evidence_created`: one object with its digest.
 *
 * @param bytes the JSON of the event, at most EVENT_BYTES_MAX
 * @throws MalformedError naming the field; LocationRefusedError; TooLargeError
 */
export function decodeCreated(bytes: Uint8Array): EvidenceEvent {
  const fields = readEvent(bytes)
  const eventId = fields.id("event_id")
  return {
    form: "created",
    eventId,
    idempotencyKey: eventId,
    sessionId: fields.id("session_id"),
    eventTimeMs: readTime(fields),
    eventTimeSource: "event",
    source: fields.id("source"),
    location: {
      kind: "object",
      ...parseObjectUri(fields.requiredText("evidence_uri"), "evidence_uri"),
    },
    sha256: fields.sha256("sha256"),
    context: readContext(fields),
  }
}

/**
 * Form B, `cerberus.evidence.ready`: a prefix with several objects under it. The event id alone may
 * collide between sessions, so the idempotency key is event id and checksum.
 *
 * @param bytes the JSON of the event, at most EVENT_BYTES_MAX
 * @throws MalformedError naming the field; LocationRefusedError; TooLargeError
 */
export function decodeReady(bytes: Uint8Array): EvidenceEvent {
  const fields = readEvent(bytes)
  if (fields.requiredText("status") !== "evidence_ready") {
    throw new MalformedError("status", "evidence_ready")
  }
  const eventId = fields.id("event_id")
  const sha256 = fields.sha256("checksum")
  const { bucket, key } = parseObjectUri(fields.requiredText("location"), "location")
  checkReadyExtras(fields)
  return {
    form: "ready",
    eventId,
    idempotencyKey: `${eventId}:${sha256 ?? "no-checksum"}`,
    sessionId: fields.id("session_id"),
    eventTimeMs: readTime(fields),
    eventTimeSource: "event",
    source: "labyrinth",
    location: { kind: "prefix", bucket, prefix: key.endsWith("/") ? key : `${key}/` },
    sha256,
    context: {
      tags: readTags(fields),
      ...readAttackerIp(fields),
      isTor: false,
      isVpn: false,
      priorPoiCount: 0,
    },
  }
}

/** Fields that nothing here reads, but whose wrong type shows a broken producer. */
function checkReadyExtras(fields: FieldReader): void {
  fields.text("capture_id")
  fields.number("payload_count")
  fields.number("request_count")
}

/**
 * A document that came without an event: JSON, a bare HAR or a `.tar.gz`. Its session id and event
 * time stand inside it and are known once it is verified; until then the id is made of the digest.
 *
 * @param bytes at most EVIDENCE_BYTES_MAX
 * @param options.receivedMs event time of a document that holds none, epoch milliseconds
 * @throws MalformedError for an empty document or a bad enrichment; TooLargeError
 */
export function decodeDocument(
  bytes: Uint8Array,
  options: { receivedMs: number; eventId?: string; enrichment?: Enrichment },
): EvidenceEvent {
  if (bytes.byteLength === 0) throw new MalformedError("document", "at least one byte")
  if (bytes.byteLength > EVIDENCE_BYTES_MAX) throw new TooLargeError("document", EVIDENCE_BYTES_MAX)
  const eventId = options.eventId ?? sha256Hex(bytes)
  return {
    form: "document",
    eventId,
    idempotencyKey: eventId,
    sessionId: `document-${eventId.slice(0, 16)}`,
    eventTimeMs: options.receivedMs,
    eventTimeSource: "arrival",
    source: "document",
    location: { kind: "inline", bytes },
    sha256: undefined,
    context: readContext(new FieldReader(options.enrichment ?? {}, "enrichment")),
  }
}

function readEvent(bytes: Uint8Array): FieldReader {
  if (bytes.byteLength > EVENT_BYTES_MAX) throw new TooLargeError("event", EVENT_BYTES_MAX)
  const event = parseJson(decodeUtf8(bytes, "event"), "event")
  return new FieldReader(event, "")
}

function readTime(fields: FieldReader): number {
  const time = parseTimestamp(fields.requiredText("timestamp"))
  if (time === undefined) throw new MalformedError("timestamp", "an ISO-8601 time")
  return time
}
