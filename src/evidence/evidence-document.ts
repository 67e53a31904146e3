import { MalformedError } from "../errors.ts"
import type { EvidenceDocument, ExtractedPayload } from "../events.ts"
import { FieldReader, isJsonObject } from "./field-reader.ts"
import { decodeUtf8, parseJson } from "./json-text.ts"

const EXTRACTED_MAX = 10_000
const SHORT_CHARS_MAX = 256

/** "evidence": form A's JSON document; "har": a HAR, whole or its log alone. */
export type JsonDocumentKind = "evidence" | "har"

/** Tells a bare HAR from an evidence document, whose HAR is a member. */
export function jsonDocumentKind(document: FieldReader): JsonDocumentKind {
  const bareHar = document.has("log") || document.has("entries")
  return bareHar && !document.has("har") ? "har" : "evidence"
}

/**
 * Form A's JSON document. Further members are the producer's own and are not looked at.
 * @throws MalformedError for a missing `session_id` or `har`, or a wrong type
 */
export function readJsonDocument(document: FieldReader): EvidenceDocument & { sessionId: string } {
  const sessionId = document.id("session_id")
  if (!document.has("har")) throw new MalformedError("har", "an object")
  return {
    sessionId,
    har: document.value("har"),
    extractedPayloads: readExtractedPayloads(document),
  }
}

/** What a refused document calls its session, for whoever sent it; undefined where it cannot be read. */
export function claimedSessionId(bytes: Uint8Array): string | undefined {
  try {
    const document = parseJson(decodeUtf8(bytes, "document"), "document")
    return new FieldReader(document, "document").id("session_id")
  } catch {
    return undefined
  }
}

/** @throws MalformedError for more than EXTRACTED_MAX payloads or one without a `value` */
export function readExtractedPayloads(document: FieldReader): readonly ExtractedPayload[] {
  const list = document.list("extracted_payloads") ?? []
  if (list.length > EXTRACTED_MAX) {
    throw new MalformedError(document.path("extracted_payloads"), `at most ${EXTRACTED_MAX}`)
  }
  return list.map((payload, index) => {
    return readPayload(new FieldReader(payload, document.path(`extracted_payloads[${index}]`)))
  })
}

function readPayload(fields: FieldReader): ExtractedPayload {
  const id = shortText(fields, "id")
  const type = shortText(fields, "type")
  const location = shortText(fields, "location")
  const confidence = fields.number("confidence")
  return {
    value: fields.requiredText("value"),
    ...(id === undefined ? {} : { id }),
    ...(type === undefined ? {} : { type }),
    ...(location === undefined ? {} : { location }),
    ...(confidence === undefined ? {} : { confidence }),
  }
}

/** Labels are cut, not refused; an empty one is none. */
function shortText(fields: FieldReader, name: string): string | undefined {
  return fields.text(name)?.slice(0, SHORT_CHARS_MAX) || undefined
}

/**
 * Evidence that came as files: `session.har` and, where they are there, `metadata.json`,
 * `behavior.json` and `payloads/*.txt`.
 *
 * @param files by path; undefined for files whose content was not kept
 * @throws MalformedError for a missing `session.har` or a file that is not JSON
 */
export function readFiles(files: ReadonlyMap<string, Uint8Array | undefined>): EvidenceDocument {
  const har = readJsonFile(files, "session.har")
  if (har === undefined) throw new MalformedError("session.har", "a file of the evidence")
  return {
    har,
    extractedPayloads: readPayloadFiles(files),
    behavior: readJsonFile(files, "behavior.json"),
    metadata: readJsonFile(files, "metadata.json"),
  }
}

export function readJsonFile(
  files: ReadonlyMap<string, Uint8Array | undefined>,
  path: string,
): unknown {
  const bytes = files.get(path)
  return bytes === undefined ? undefined : parseJson(decodeUtf8(bytes, path), path)
}

/** One payload a file, named by it. It may be a cut of url and headers, hence kind `request`. */
function readPayloadFiles(
  files: ReadonlyMap<string, Uint8Array | undefined>,
): readonly ExtractedPayload[] {
  const text = new TextDecoder()
  return [...files].flatMap(([path, bytes]) => {
    const id = /^payloads\/([^/]{1,255})\.txt$/.exec(path)?.[1]
    if (id === undefined || bytes === undefined) return []
    return [{ id, type: "request", value: text.decode(bytes) }]
  })
}

/** The session id that an archive's metadata gives, at its top or in `session_metadata`. */
export function metadataSessionId(metadata: unknown): string | undefined {
  if (!isJsonObject(metadata)) return undefined
  const fields = new FieldReader(metadata, "metadata")
  if (fields.has("session_id")) return fields.id("session_id")
  const session = fields.object("session_metadata")
  return session.has("session_id") ? session.id("session_id") : undefined
}
