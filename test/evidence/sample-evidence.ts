import { gzipSync } from "node:zlib"
import { pack } from "tar-stream"
import type { EvidenceEvent } from "../../src/events.ts"
import type { SourceRecord } from "../../src/stream/types.ts"

/** Written as a producer would write it, so the tests do not share the code that they test. */

export const SAMPLE_HAR = {
  log: {
    version: "1.2",
    entries: [
      {
        startedDateTime: "2026-01-02T03:04:05.678901",
        time: 12.5,
        request: { method: "GET", url: "/shop?q=shoes", headers: [] },
        response: { status: 200, content: { size: 10 } },
      },
    ],
  },
}

export function utf8(value: unknown): Uint8Array {
  return new TextEncoder().encode(typeof value === "string" ? value : JSON.stringify(value))
}

export function sha256(content: Uint8Array | string): string {
  return new Bun.CryptoHasher("sha256").update(content).digest("hex")
}

/** Python's `json.dumps(value, sort_keys=True)` for values of ASCII strings, integers, objects. */
export function pythonJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(", ")}]`
  if (typeof value !== "object" || value === null) return JSON.stringify(value)
  const members = Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1))
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}: ${pythonJson(member)}`).join(", ")}}`
}

/** Form A's JSON document with a manifest over `har` and `session_id`. */
export function sampleDocument(changes: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    session_id: "session-1",
    har: SAMPLE_HAR,
    extracted_payloads: [],
    signed_manifest: {
      checksums: { har: sha256(pythonJson(SAMPLE_HAR)), session_id: sha256("session-1") },
    },
    ...changes,
  }
}

export type TarEntry = readonly [
  header: Parameters<ReturnType<typeof pack>["entry"]>[0],
  content?: string,
]

export async function tarGz(entries: readonly TarEntry[]): Promise<Uint8Array> {
  const archive = pack()
  for (const [header, content] of entries) archive.entry(header, content ?? "")
  archive.finalize()
  const chunks: Uint8Array[] = []
  for await (const chunk of archive) chunks.push(chunk as Uint8Array)
  return gzipSync(Buffer.concat(chunks))
}

/** An archive of these files with a manifest over all of them. */
export function evidenceArchive(
  files: Readonly<Record<string, string>>,
  checksums: Readonly<Record<string, string>> = Object.fromEntries(
    Object.entries(files).map(([name, content]) => [name, sha256(content)]),
  ),
): Promise<Uint8Array> {
  const all = { ...files, "manifest.json": JSON.stringify({ checksums }) }
  return tarGz(Object.entries(all).map(([name, content]) => [{ name }, content]))
}

export function sampleEvent(changes: Partial<EvidenceEvent> = {}): EvidenceEvent {
  return {
    form: "created",
    eventId: "event-1",
    idempotencyKey: "event-1",
    sessionId: "session-1",
    eventTimeMs: 1_000,
    eventTimeSource: "event",
    source: "labyrinth",
    location: { kind: "object", bucket: "evidence", key: "a.json" },
    sha256: undefined,
    context: { tags: [], isTor: false, isVpn: false, priorPoiCount: 0 },
    ...changes,
  }
}

export function sampleRecord(changes: Partial<SourceRecord> = {}): SourceRecord {
  return {
    topic: "inbox",
    partition: 0,
    offset: 0n,
    key: null,
    value: new Uint8Array(),
    headers: {},
    timestampMs: 5_000,
    receivedAtMs: 6_000,
    ...changes,
  }
}

/** `CODE field` of what a call throws or rejects with. */
export async function failure(call: () => unknown): Promise<string> {
  try {
    await call()
  } catch (error) {
    const { code, field } = error as { code?: string; field?: string }
    return `${code} ${field}`
  }
  return "no failure"
}
