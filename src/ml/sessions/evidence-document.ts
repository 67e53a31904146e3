import { createHash } from "node:crypto"
import type { Session, SessionRequest } from "../../events.ts"
import type { Enrichment } from "../../ports.ts"

/** The JSON evidence document that a producer would have stored for a generated session. */
export interface SessionEvidence {
  readonly session_id: string
  readonly har: { readonly log: unknown }
  readonly extracted_payloads: readonly unknown[]
  readonly signed_manifest: { readonly checksums: Readonly<Record<string, string>> }
}

/**
 * Writes a generated session as an evidence document whose manifest verifies.
 *
 * The payloads are left to be mined from the HAR. Holds whole numbers and strings only.
 */
export function toEvidenceDocument(session: Session): SessionEvidence {
  const creator = { name: "sentinel session generator", version: "1" }
  const har = { log: { version: "1.2", creator, entries: session.requests.map(toEntry) } }
  const checksums = {
    har: digest(canonicalJson(har)),
    session_id: digest(session.sessionId),
    extracted_payloads: digest(canonicalJson([])),
  }
  return {
    session_id: session.sessionId,
    har,
    extracted_payloads: [],
    signed_manifest: { checksums },
  }
}

/** What the announcing event would have said of the session. */
export function toEnrichment(session: Session): Enrichment {
  const { tags, isTor, isVpn, priorPoiCount, country } = session.context
  const meta = {
    is_tor: isTor,
    is_vpn: isVpn,
    prior_poi_count: priorPoiCount,
    ...(country === undefined ? {} : { country }),
  }
  return { tags, meta }
}

function toEntry(request: SessionRequest): unknown {
  const { startedMs, method, url, body, status } = request
  const contentType = body.startsWith("{")
    ? "application/json"
    : "application/x-www-form-urlencoded"
  const postData = body === "" ? {} : { postData: { mimeType: contentType, text: body } }
  const started =
    startedMs === undefined ? {} : { startedDateTime: new Date(startedMs).toISOString() }
  return {
    ...started,
    time: request.timeMs,
    request: {
      method,
      url,
      httpVersion: "HTTP/1.1",
      headers: request.headers,
      bodySize: body.length,
      ...postData,
    },
    response: {
      status,
      statusText: "",
      headers: [],
      bodySize: request.responseBytes,
      content: { size: request.responseBytes, mimeType: "application/octet-stream" },
    },
  }
}

/** Python's `json.dumps(value, sort_keys=True)` for strings, whole numbers, lists and objects. */
function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(", ")}]`
  if (typeof value !== "object" || value === null) return asciiJson(value)
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return `{${members.map(([key, member]) => `${asciiJson(key)}: ${canonicalJson(member)}`).join(", ")}}`
}

function asciiJson(scalar: unknown): string {
  return JSON.stringify(scalar).replace(
    /[^ -~]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  )
}

function digest(text: string): string {
  return createHash("sha256").update(text).digest("hex")
}
