import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { SentinelError } from "../../src/errors.ts"
import { decodeCreated, decodeDocument, decodeReady } from "../../src/evidence/decode-event.ts"
import { sessionFromCaptures } from "../../src/evidence/read-session.ts"
import { enrichSession } from "../../src/operators/enrich-session.ts"
import { verifyIntegrity } from "../../src/operators/verify-integrity.ts"
import { operatorContext } from "../support/operator-context.ts"
import { pythonJson, sampleDocument, sha256, utf8 } from "./sample-evidence.ts"

/**
 * Goal: whatever a producer writes, the answer is a result or a SentinelError, never a TypeError.
 * Method: valid documents in which any member, at any depth, is replaced by any JSON value; and
 * documents made of the right names with the wrong values.
 */

const NAMES = [
  ...["event_id", "timestamp", "source", "session_id", "evidence_uri", "sha256", "tags", "meta"],
  ...["status", "location", "checksum", "har", "log", "entries", "request", "response", "url"],
  ...["method", "headers", "name", "value", "postData", "text", "params", "cookies", "queryString"],
  ...["content", "size", "time", "startedDateTime", "extracted_payloads", "signed_manifest"],
  ...["checksums", "metadata", "session_metadata", "geoip", "asn", "__proto__", "constructor"],
]

const ANY = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 6, withCrossShrink: true },
    fc.constantFrom(null, "", 0, -1, 1.5, true, "x", "a".repeat(64), "s3://b/k", "2026-01-01"),
    fc.array(tie("value"), { maxLength: 4 }),
    fc.dictionary(fc.constantFrom(...NAMES), tie("value"), { maxKeys: 6 }),
    fc.string(),
  ),
})).value

const FULL = {
  event_id: "e-1",
  timestamp: "2026-01-02T03:04:05",
  source: "labyrinth",
  session_id: "s-1",
  evidence_uri: "s3://b/k",
  status: "evidence_ready",
  location: "s3://b/e-1/",
  checksum: "ab".repeat(32),
  attacker_ip: "h",
  tags: ["poi"],
  meta: { attacker_ip: "h", is_tor: true, prior_poi_count: 1, asn: 5 },
}

const DOCUMENT = sampleDocument({
  extracted_payloads: [{ id: "p", type: "x", value: "v", location: "query:q", confidence: 0.5 }],
  metadata: { tags: [], session_metadata: { attacker_ip: "h", geoip: { country: "NL", asn: 5 } } },
  har: {
    log: {
      entries: [
        {
          startedDateTime: "2026-01-02",
          time: 1,
          request: {
            method: "POST",
            url: "/a?b=c",
            headers: [{ name: "cookie", value: "a=b" }],
            queryString: [{ name: "b", value: "c" }],
            cookies: [{ name: "a", value: "b" }],
            postData: { mimeType: "x", text: '{"a":["b"]}', params: [{ name: "a", value: "b" }] },
          },
          response: { status: 200, bodySize: 1, content: { size: 1 } },
        },
      ],
    },
  },
})

/** `value` with the member that `path` picks out replaced. */
function withReplaced(value: unknown, path: readonly number[], replacement: unknown): unknown {
  const [step, ...rest] = path
  if (step === undefined || typeof value !== "object" || value === null) return replacement
  const keys = Object.keys(value)
  const key = keys[step % Math.max(keys.length, 1)]
  if (key === undefined) return replacement
  const copy = (Array.isArray(value) ? [...value] : { ...value }) as Record<string, unknown>
  copy[key] = withReplaced(copy[key], rest, replacement)
  return copy
}

const PATH = fc.array(fc.nat(40), { maxLength: 9 })

async function expectSentinelError(call: () => unknown): Promise<boolean> {
  try {
    await call()
    return true
  } catch (error) {
    if (!(error instanceof SentinelError)) throw error
    expect(error.retryable).toBe(false)
    return false
  }
}

/** A manifest over the HAR as it now is, so that changed documents reach the next step. */
function resealed(document: unknown): unknown {
  if (typeof document !== "object" || document === null || !("har" in document)) return document
  const sealable = JSON.parse(JSON.stringify(document.har ?? null)) as unknown
  return { ...document, signed_manifest: { checksums: { har: sha256(pythonJson(sealable)) } } }
}

async function analyse(document: unknown): Promise<unknown> {
  const event = decodeDocument(utf8(document), { receivedMs: 0 })
  if (event.location.kind !== "inline") throw new Error("a document is inline")
  const objects = [{ key: "", bytes: event.location.bytes, modifiedMs: 0 }]
  const verified = await verifyIntegrity().process({ ...event, objects }, operatorContext())
  return enrichSession().process(verified, operatorContext())
}

describe("hostile input", () => {
  test("decodeCreated and decodeReady fail only with a SentinelError", async () => {
    let accepted = 0
    await fc.assert(
      fc.asyncProperty(PATH, ANY, async (path, replacement) => {
        const bytes = utf8(withReplaced(FULL, path, replacement))
        if (await expectSentinelError(() => decodeCreated(bytes))) accepted += 1
        await expectSentinelError(() => decodeReady(bytes))
      }),
      { numRuns: 1_000 },
    )
    expect(accepted).toBeGreaterThan(50)
  })

  test("verifyIntegrity and enrichSession fail only with a SentinelError", async () => {
    let accepted = 0
    await fc.assert(
      fc.asyncProperty(PATH, ANY, async (path, replacement) => {
        const document = withReplaced(DOCUMENT, path, replacement)
        await expectSentinelError(() => analyse(document))
        if (await expectSentinelError(() => analyse(resealed(document)))) accepted += 1
      }),
      { numRuns: 1_000 },
    )
    expect(accepted).toBeGreaterThan(50)
  })

  test("sessionFromCaptures fails only with a SentinelError", async () => {
    await fc.assert(
      fc.asyncProperty(ANY, async (captures) => {
        await expectSentinelError(() => sessionFromCaptures("s", captures))
      }),
      { numRuns: 1_000 },
    )
  })

  test("any bytes at all fail only with a SentinelError", async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1 }), async (bytes) => {
        await expectSentinelError(() => decodeCreated(bytes))
        const event = decodeDocument(bytes, { receivedMs: 0 })
        const objects = [{ key: "", bytes, modifiedMs: 0 }]
        await expectSentinelError(() =>
          verifyIntegrity().process({ ...event, objects }, operatorContext()),
        )
      }),
    )
  })

  test("deep documents are refused or cut, never a stack overflow", async () => {
    const deep = (depth: number) => `${'{"a":['.repeat(depth)}1${"]}".repeat(depth)}`
    for (const depth of [100, 400, 5_000, 100_000]) {
      const har = `{"log":{"entries":[],"extra":${deep(depth)}}}`
      const sealed = `{"session_id":"s","har":${har},"signed_manifest":{"checksums":{"har":"${"0".repeat(64)}"}}}`
      await expectSentinelError(() => analyse(sealed))
      await expectSentinelError(() => decodeCreated(utf8(deep(depth))))
    }
  })
})
