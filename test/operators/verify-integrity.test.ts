import { describe, expect, test } from "bun:test"
import type { EvidenceEvent, FetchedEvidence, StoredObject } from "../../src/events.ts"
import { verifyIntegrity } from "../../src/operators/verify-integrity.ts"
import {
  evidenceArchive,
  failure,
  pythonJson,
  SAMPLE_HAR,
  sampleDocument,
  sampleEvent,
  sha256,
  tarGz,
  utf8,
} from "../evidence/sample-evidence.ts"
import { operatorContext } from "../support/operator-context.ts"

const ARCHIVE_FILES = {
  "metadata.json": JSON.stringify({ session_id: "session-7", tags: ["poi"] }),
  "session.har": JSON.stringify(SAMPLE_HAR),
  "behavior.json": "{}",
  "payloads/payload_001.txt": "' OR 1=1--",
}

function verify(bytes: Uint8Array, changes: Partial<EvidenceEvent> = {}) {
  const objects = [{ key: "a.json", bytes, modifiedMs: 0 }]
  return verifyIntegrity().process({ ...sampleEvent(changes), objects }, operatorContext())
}

const listing = (component: unknown) => ({
  signed_manifest: { checksums: { component } },
})

describe("verifyIntegrity on a JSON document", () => {
  test("verifyIntegrity passes a document whose digests all match", async () => {
    const bytes = utf8(sampleDocument())
    const verified = await verify(bytes, { sha256: sha256(bytes) })
    expect(verified.integrity).toBe("verified")
    expect(verified.evidenceSha256).toBe(sha256(bytes))
    expect(verified.document.har).toEqual(SAMPLE_HAR)
    expect(verified).not.toHaveProperty("objects")
  })

  test("verifyIntegrity does not look at members that it does not know", async () => {
    const further = { metadata: "text", behavior: 5, notes: [null], created_by: {} }
    expect((await verify(utf8(sampleDocument(further)))).integrity).toBe("verified")
  })

  test("verifyIntegrity compares digests without regard to case", async () => {
    const checksums = { har: sha256(pythonJson(SAMPLE_HAR)).toUpperCase() }
    const verified = await verify(utf8(sampleDocument({ signed_manifest: { checksums } })))
    expect(verified.integrity).toBe("verified")
  })

  // Written as text: a parsed number would have lost how it was written.
  test.each([
    ["1.10", "1.1"],
    ["1E5", "100000.0"],
    ["-0", "0"],
    ["12345678901234567890", "12345678901234567890"],
    ["[1,2.50]", "[1, 2.5]"],
    ["true", "true"],
    ["NaN", "NaN"],
    ['{"b":1,"a":"\\u00e9","b":2}', '{"a": "\\u00e9", "b": 2}'],
    ['"\\u00e9 text"', "é text"],
    ['""', ""],
  ])("verifyIntegrity digests the component %s as Python does", async (written, hashed) => {
    const document = JSON.stringify(sampleDocument(listing(sha256(hashed))))
    const text = `${document.slice(0, -1)},"component":0,"component":${written}}`
    expect((await verify(utf8(text))).integrity).toBe("verified")
    const other = text.replace(sha256(hashed), sha256(`${hashed}x`))
    expect(await failure(() => verify(utf8(other)))).toBe("HASH_MISMATCH signed_manifest.checksums")
  })

  test.each([
    ["no manifest", { signed_manifest: undefined }, "MANIFEST_INVALID signed_manifest"],
    ["a null manifest", { signed_manifest: null }, "MANIFEST_INVALID signed_manifest"],
    ["an absent component", listing("0".repeat(64)), "MANIFEST_INVALID signed_manifest.checksums"],
    [
      "a null component",
      { ...listing("0".repeat(64)), component: null },
      "MANIFEST_INVALID signed_manifest.checksums",
    ],
    ["another component", { session_id: "session-2" }, "HASH_MISMATCH signed_manifest.checksums"],
    [
      "a lone surrogate",
      { ...listing(sha256("?")), component: "\ud800" },
      "HASH_MISMATCH signed_manifest.checksums",
    ],
    ["a digest of another type", listing(5), "MALFORMED signed_manifest.checksums"],
    ["a short digest", listing("abc"), "MALFORMED signed_manifest.checksums"],
    [
      "checksums of another type",
      { signed_manifest: { checksums: [] } },
      "MALFORMED signed_manifest.checksums",
    ],
    ["a manifest of another type", { signed_manifest: "x" }, "MALFORMED signed_manifest"],
    ["no session id", { session_id: undefined }, "MALFORMED session_id"],
    ["no HAR", { har: undefined }, "MALFORMED har"],
    ["payloads of another type", { extracted_payloads: "x" }, "MALFORMED extracted_payloads"],
    [
      "a payload without value",
      { extracted_payloads: [{}] },
      "MALFORMED extracted_payloads[0].value",
    ],
  ])("verifyIntegrity refuses %s", async (_, changes, expected) => {
    expect(await failure(() => verify(utf8(sampleDocument(changes))))).toBe(expected)
  })

  test.each([{}, { checksums: {} }, { checksums: null }, { signature: "abc" }])(
    "verifyIntegrity marks a document with the manifest %j as unverified",
    async (signed_manifest) => {
      expect((await verify(utf8(sampleDocument({ signed_manifest })))).integrity).toBe("unverified")
    },
  )

  test("verifyIntegrity refuses an object whose bytes are not the announced ones", async () => {
    const call = () => verify(utf8(sampleDocument()), { sha256: sha256("other") })
    expect(await failure(call)).toBe("HASH_MISMATCH sha256")
  })

  test.each(["", "{", "[]", "null", "\u0000"])("verifyIntegrity refuses %j", async (text) => {
    expect(await failure(() => verify(utf8(text)))).toBe("MALFORMED document")
  })

  test("verifyIntegrity tolerates a byte order mark and refuses UTF-16", async () => {
    const text = `\ufeff${JSON.stringify(sampleDocument())}`
    expect((await verify(utf8(text))).integrity).toBe("verified")
    const utf16 = new Uint8Array(Buffer.from(text, "utf16le"))
    expect(await failure(() => verify(utf16))).toBe("MALFORMED document")
  })
})

describe("verifyIntegrity on an archive", () => {
  test("verifyIntegrity checks raw file bytes against manifest.json", async () => {
    const verified = await verify(await evidenceArchive(ARCHIVE_FILES))
    expect(verified.integrity).toBe("verified")
    expect(verified.document.har).toEqual(SAMPLE_HAR)
    expect(verified.document.extractedPayloads).toEqual([
      { id: "payload_001", type: "request", value: "' OR 1=1--" },
    ])
  })

  test.each([
    [
      "a changed file",
      { "session.har": "0".repeat(64) },
      "HASH_MISMATCH signed_manifest.checksums",
    ],
    [
      "an absent file",
      { "other.txt": "0".repeat(64) },
      "MANIFEST_INVALID signed_manifest.checksums",
    ],
  ])("verifyIntegrity refuses %s", async (_, checksums, expected) => {
    const archive = await evidenceArchive(ARCHIVE_FILES, checksums)
    expect(await failure(() => verify(archive))).toBe(expected)
  })

  test("verifyIntegrity refuses an archive without manifest or HAR, or with a path that escapes", async () => {
    const bare = await tarGz([[{ name: "session.har" }, "{}"]])
    expect(await failure(() => verify(bare))).toBe("MANIFEST_INVALID manifest.json")
    const noHar = await evidenceArchive({ "metadata.json": "{}" })
    expect(await failure(() => verify(noHar))).toBe("MALFORMED session.har")
    const escaping = await tarGz([[{ name: "../session.har" }, "{}"]])
    expect(await failure(() => verify(escaping))).toBe("ARCHIVE_REFUSED evidence")
  })

  test("verifyIntegrity marks an archive with empty checksums as unverified", async () => {
    const verified = await verify(await evidenceArchive(ARCHIVE_FILES, {}))
    expect(verified.integrity).toBe("unverified")
  })
})

describe("verifyIntegrity on a bare document", () => {
  const document = { form: "document", sessionId: "document-x" } as const

  test("verifyIntegrity takes session id and event time from the document", async () => {
    const verified = await verify(utf8(sampleDocument()), document)
    expect(verified.sessionId).toBe("session-1")
    expect(verified.eventTimeMs).toBe(Date.UTC(2026, 0, 2, 3, 4, 5, 678))
    expect(verified.eventTimeSource).toBe("evidence")
    const archived = await verify(await evidenceArchive(ARCHIVE_FILES), document)
    expect(archived.sessionId).toBe("session-7")
  })

  test("verifyIntegrity takes the time of an empty HAR from its pages or metadata, and says where none is", async () => {
    const page = { startedDateTime: "2026-01-02T00:00:00Z", id: "p", title: "" }
    const log = { version: "1.2", entries: [] }
    const paged = await verify(utf8({ log: { ...log, pages: [page] } }), document)
    expect(paged.eventTimeMs).toBe(Date.UTC(2026, 0, 2))
    const metadata = { created_at: "2026-01-04", session_metadata: { session_start: "2026-01-03" } }
    const files = { "metadata.json": JSON.stringify(metadata), "session.har": JSON.stringify(log) }
    const archived = await verify(await evidenceArchive(files), document)
    expect(archived.eventTimeMs).toBe(Date.UTC(2026, 0, 3))
    expect(archived.eventTimeSource).toBe("evidence")
    const arrival = { eventTimeMs: 9, eventTimeSource: "arrival" } as const
    const silent = await verify(utf8({ log }), { ...document, ...arrival })
    expect(silent).toMatchObject(arrival)
  })

  test.each([SAMPLE_HAR, SAMPLE_HAR.log])(
    "verifyIntegrity reads a bare HAR as unverified",
    async (har) => {
      const verified = await verify(utf8(har), document)
      expect(verified.integrity).toBe("unverified")
      expect(verified.sessionId).toBe("document-x")
      expect(verified.document.har).toEqual(har)
    },
  )

  test("verifyIntegrity knows no bare HAR in form A", async () => {
    expect(await failure(() => verify(utf8(SAMPLE_HAR)))).toBe("MALFORMED session_id")
  })
})

describe("verifyIntegrity on a prefix", () => {
  const FILES: Readonly<Record<string, string>> = {
    "session.har": JSON.stringify(SAMPLE_HAR.log),
    "metadata.json": JSON.stringify({ session_metadata: { session_id: "unknown", geoip: null } }),
    "payloads/payload_001.txt": "GET /?q=<script>",
  }
  const objects = Object.entries(FILES).map(([path, content], index): StoredObject => {
    return { key: `e-2/${path}`, bytes: utf8(content), modifiedMs: index }
  })
  const checksum = sha256(
    Object.values(FILES)
      .map((content) => sha256(content))
      .join(""),
  )

  function verifyReady(
    announced: string | undefined,
    stored: FetchedEvidence["objects"] = objects,
  ) {
    const event = sampleEvent({
      form: "ready",
      location: { kind: "prefix", bucket: "evidence", prefix: "e-2/" },
      sha256: announced,
    })
    return verifyIntegrity().process({ ...event, objects: stored }, operatorContext())
  }

  test("verifyIntegrity checks the one checksum over all objects", async () => {
    const verified = await verifyReady(checksum)
    expect(verified.integrity).toBe("verified")
    expect(verified.evidenceSha256).toBe(checksum)
    expect(verified.sessionId).toBe("session-1")
    expect(verified.document.har).toEqual(SAMPLE_HAR.log)
    expect(verified.document.extractedPayloads[0]?.value).toBe("GET /?q=<script>")
  })

  test("verifyIntegrity marks a prefix without checksum as unverified", async () => {
    const verified = await verifyReady(undefined)
    expect(verified.integrity).toBe("unverified")
    expect(verified.evidenceSha256).toMatch(/^[0-9a-f]{64}$/)
  })

  test("verifyIntegrity refuses a changed object and a missing HAR", async () => {
    expect(await failure(() => verifyReady("0".repeat(64)))).toBe("HASH_MISMATCH checksum")
    expect(await failure(() => verifyReady(undefined, objects.slice(1)))).toBe(
      "MALFORMED session.har",
    )
  })
})
