import { describe, expect, test } from "bun:test"
import {
  decodeCreated,
  decodeDocument,
  decodeReady,
  EVENT_BYTES_MAX,
  EVIDENCE_BYTES_MAX,
} from "../../src/evidence/decode-event.ts"
import { failure, sha256, utf8 } from "./sample-evidence.ts"

const DIGEST = "ab".repeat(32)

const CREATED = {
  event_id: "e-1",
  timestamp: "2026-01-02T03:04:05",
  source: "labyrinth",
  session_id: "s-1",
  evidence_uri: "minio://evidence/2026/a%20b.json",
  sha256: DIGEST.toUpperCase(),
  tags: ["poi", "sql_injection-suspected"],
  meta: {
    attacker_ip: "203.0.113.7",
    is_tor: true,
    is_vpn: false,
    prior_poi_count: 3,
    country: "NL",
    asn: 64_500,
  },
  later_field: { any: "thing" },
}

const READY = {
  status: "evidence_ready",
  event_id: "e-2",
  capture_id: "c-2",
  session_id: "unknown",
  attacker_ip: "scanner.example.net",
  location: "s3://evidence/e-2/",
  timestamp: "2026-01-02T03:04:05.123456",
  payload_count: 3,
  request_count: 7,
  checksum: DIGEST,
  tags: ["poi"],
  package_checksum: null,
  retention_until: null,
}

const without = (event: object, name: string) =>
  Object.fromEntries(Object.entries(event).filter(([key]) => key !== name))

describe("decodeCreated", () => {
  test("decodeCreated reads every field of form A", () => {
    expect(decodeCreated(utf8(CREATED))).toEqual({
      form: "created",
      eventId: "e-1",
      idempotencyKey: "e-1",
      sessionId: "s-1",
      eventTimeMs: Date.UTC(2026, 0, 2, 3, 4, 5),
      eventTimeSource: "event",
      source: "labyrinth",
      location: { kind: "object", bucket: "evidence", key: "2026/a%20b.json" },
      sha256: DIGEST,
      context: {
        tags: ["poi", "sql_injection-suspected"],
        attackerIp: "203.0.113.7",
        isTor: true,
        isVpn: false,
        priorPoiCount: 3,
        country: "NL",
        asn: "64500",
      },
    })
  })

  test.each(["sha256", "tags", "meta"])("decodeCreated defaults an absent or null %s", (name) => {
    for (const event of [without(CREATED, name), { ...CREATED, [name]: null }]) {
      expect(decodeCreated(utf8(event)).eventId).toBe("e-1")
    }
  })

  test.each(["event_id", "timestamp", "source", "session_id", "evidence_uri"])(
    "decodeCreated names a missing, null, empty or mistyped %s",
    async (name) => {
      const events = [
        without(CREATED, name),
        ...[null, "", 7, {}].map((value) => ({ ...CREATED, [name]: value })),
      ]
      for (const event of events) {
        expect(await failure(() => decodeCreated(utf8(event)))).toBe(`MALFORMED ${name}`)
      }
    },
  )

  test.each([
    [{ sha256: "abc" }, "sha256"],
    [{ sha256: 5 }, "sha256"],
    [{ tags: "poi" }, "tags"],
    [{ tags: ["poi", 5] }, "tags[1]"],
    [{ meta: [] }, "meta"],
    [{ meta: { is_tor: "yes" } }, "meta.is_tor"],
    [{ meta: { prior_poi_count: "3" } }, "meta.prior_poi_count"],
    [{ meta: { attacker_ip: 5 } }, "meta.attacker_ip"],
    [{ timestamp: "yesterday" }, "timestamp"],
    [{ evidence_uri: "a.json" }, "evidence_uri"],
    [{ evidence_uri: "s3://evidence" }, "evidence_uri"],
    [{ event_id: "x".repeat(513) }, "event_id"],
  ])("decodeCreated names the field that is wrong in %j", async (changes, field) => {
    const event = utf8({ ...CREATED, ...changes })
    expect(await failure(() => decodeCreated(event))).toBe(`MALFORMED ${field}`)
  })

  test.each(["http://evidence/a", "file:///etc/passwd", "s3://../a", "s3:///a", "s3://b/a\0b"])(
    "decodeCreated refuses the location %j",
    async (evidence_uri) => {
      const event = utf8({ ...CREATED, evidence_uri })
      expect(await failure(() => decodeCreated(event))).toBe("LOCATION_REFUSED evidence_uri")
    },
  )

  test.each(["", "{", "[]", "null", '"text"', "\uffff"])(
    "decodeCreated refuses %j, which is no event",
    async (text) => {
      expect(await failure(() => decodeCreated(utf8(text)))).toMatch(/^MALFORMED (event|document)$/)
    },
  )

  test("decodeCreated tolerates a byte order mark and refuses other encodings", async () => {
    expect(decodeCreated(utf8(`\ufeff${JSON.stringify(CREATED)}`)).eventId).toBe("e-1")
    const utf16 = new Uint8Array(Buffer.from(`\ufeff${JSON.stringify(CREATED)}`, "utf16le"))
    expect(await failure(() => decodeCreated(utf16))).toBe("MALFORMED event")
  })

  test("decodeCreated bounds the event and ignores inherited names", async () => {
    const large = new Uint8Array(EVENT_BYTES_MAX + 1)
    expect(await failure(() => decodeCreated(large))).toBe("TOO_LARGE event")
    const polluted = JSON.stringify(CREATED).replace('"e-1"', '"e-1","__proto__":{"sha256":"x"}')
    expect(decodeCreated(utf8(polluted)).sha256).toBe(DIGEST)
  })
})

describe("decodeReady", () => {
  test("decodeReady reads form B, keyed by event id and checksum", () => {
    expect(decodeReady(utf8(READY))).toEqual({
      form: "ready",
      eventId: "e-2",
      idempotencyKey: `e-2:${DIGEST}`,
      sessionId: "unknown",
      eventTimeMs: Date.UTC(2026, 0, 2, 3, 4, 5, 123),
      eventTimeSource: "event",
      source: "labyrinth",
      location: { kind: "prefix", bucket: "evidence", prefix: "e-2/" },
      sha256: DIGEST,
      context: {
        tags: ["poi"],
        attackerIp: "scanner.example.net",
        isTor: false,
        isVpn: false,
        priorPoiCount: 0,
      },
    })
  })

  test("decodeReady accepts null for whatever it can do without", () => {
    const nulls = { capture_id: null, attacker_ip: null, payload_count: null, request_count: null }
    const event = decodeReady(utf8({ ...READY, ...nulls, checksum: null, tags: null }))
    expect(event.sha256).toBeUndefined()
    expect(event.idempotencyKey).toBe("e-2:no-checksum")
    expect(event.context.tags).toEqual([])
  })

  test("decodeReady ends the prefix with a slash, so that e-2 is not e-22", () => {
    const event = decodeReady(utf8({ ...READY, location: "minio://evidence/e-2" }))
    expect(event.location).toEqual({ kind: "prefix", bucket: "evidence", prefix: "e-2/" })
  })

  test.each(["status", "event_id", "session_id", "location", "timestamp"])(
    "decodeReady names a missing or mistyped %s",
    async (name) => {
      expect(await failure(() => decodeReady(utf8(without(READY, name))))).toBe(`MALFORMED ${name}`)
      const mistyped = utf8({ ...READY, [name]: 5 })
      expect(await failure(() => decodeReady(mistyped))).toBe(`MALFORMED ${name}`)
    },
  )

  test.each([
    [{ status: "failed" }, "status"],
    [{ checksum: "abc" }, "checksum"],
    [{ payload_count: "3" }, "payload_count"],
    [{ attacker_ip: 5 }, "attacker_ip"],
  ])("decodeReady names the field that is wrong in %j", async (changes, field) => {
    expect(await failure(() => decodeReady(utf8({ ...READY, ...changes })))).toBe(
      `MALFORMED ${field}`,
    )
  })
})

describe("decodeDocument", () => {
  test("decodeDocument takes the digest of the bytes as event id", () => {
    const bytes = utf8("{}")
    const event = decodeDocument(bytes, { receivedMs: 7 })
    expect(event.eventId).toBe(sha256(bytes))
    expect(event.idempotencyKey).toBe(event.eventId)
    expect(event.eventTimeMs).toBe(7)
    expect(event.eventTimeSource).toBe("arrival")
    expect(event.location).toEqual({ kind: "inline", bytes })
    expect(decodeDocument(bytes, { receivedMs: 7, eventId: "given" }).eventId).toBe("given")
  })

  test("decodeDocument lets an enrichment stand in for the event", async () => {
    const enrichment = { tags: ["poi"], meta: { is_vpn: true, country: "NL" } }
    expect(decodeDocument(utf8("{}"), { receivedMs: 7, enrichment }).context).toEqual({
      tags: ["poi"],
      isTor: false,
      isVpn: true,
      priorPoiCount: 0,
      country: "NL",
    })
    const mistyped = { meta: { is_tor: 1 } }
    const call = () => decodeDocument(utf8("{}"), { receivedMs: 7, enrichment: mistyped })
    expect(await failure(call)).toBe("MALFORMED enrichment.meta.is_tor")
  })

  test("decodeDocument refuses an empty document and one beyond its bound", async () => {
    const decode = (bytes: Uint8Array) => () => decodeDocument(bytes, { receivedMs: 0 })
    expect(await failure(decode(new Uint8Array()))).toBe("MALFORMED document")
    const large = new Uint8Array(EVIDENCE_BYTES_MAX + 1)
    expect(await failure(decode(large))).toBe("TOO_LARGE document")
  })
})
