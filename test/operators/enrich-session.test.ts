import { expect, test } from "bun:test"
import type { VerifiedEvidence } from "../../src/events.ts"
import { enrichSession } from "../../src/operators/enrich-session.ts"
import { failure, SAMPLE_HAR, sampleEvent } from "../evidence/sample-evidence.ts"
import { operatorContext } from "../support/operator-context.ts"

const verified = (changes: Partial<VerifiedEvidence["document"]> = {}): VerifiedEvidence => ({
  ...sampleEvent(),
  integrity: "verified",
  evidenceSha256: "0".repeat(64),
  document: { har: SAMPLE_HAR, extractedPayloads: [], ...changes },
})

const METADATA = {
  tags: ["poi"],
  session_metadata: {
    attacker_ip: "203.0.113.7",
    geoip: { country: "NL", asn: 64_500, city: "x" },
    risk_score: 3,
  },
}

test("enrichSession replaces the document by the session", async () => {
  const enriched = await enrichSession().process(verified(), operatorContext())
  expect(enriched).not.toHaveProperty("document")
  expect(enriched.session.sessionId).toBe("session-1")
  expect(enriched.session.payloads.map(({ text }) => text)).toEqual(["shop", "shoes"])
  expect(enriched.integrity).toBe("verified")
})

test("enrichSession takes from the metadata what the event left open", async () => {
  const input = verified({ metadata: METADATA })
  const enriched = await enrichSession().process(input, operatorContext())
  expect(enriched.session.context).toEqual({
    tags: ["poi"],
    attackerIp: "203.0.113.7",
    isTor: false,
    isVpn: false,
    priorPoiCount: 0,
    country: "NL",
    asn: "64500",
  })
  expect(enriched.context).toEqual(enriched.session.context)
  const said = {
    ...input,
    context: { ...input.context, tags: ["own"], attackerIp: "198.51.100.1" },
  }
  const kept = await enrichSession().process(said, operatorContext())
  expect(kept.context).toMatchObject({ tags: ["own"], attackerIp: "198.51.100.1", country: "NL" })
})

test("enrichSession accepts null wherever the producer writes it", async () => {
  const metadata = { tags: null, session_metadata: { geoip: null, attacker_ip: null } }
  for (const absent of [metadata, { session_metadata: null }, null]) {
    const input = verified({ metadata: absent, behavior: null })
    expect((await enrichSession().process(input, operatorContext())).context.tags).toEqual([])
  }
})

test("enrichSession names a field of the wrong type", async () => {
  const enrich = (document: Partial<VerifiedEvidence["document"]>) => () =>
    enrichSession().process(verified(document), operatorContext())
  expect(await failure(enrich({ har: null }))).toBe("MALFORMED har")
  expect(await failure(enrich({ har: {} }))).toBe("MALFORMED har.entries")
  expect(await failure(enrich({ metadata: [] }))).toBe("MALFORMED metadata")
  expect(await failure(enrich({ metadata: { session_metadata: { attacker_ip: 5 } } }))).toBe(
    "MALFORMED metadata.session_metadata.attacker_ip",
  )
})

test("enrichSession leaves a geoip of an unknown shape alone", async () => {
  for (const geoip of ["x", { country: { iso: "NL" }, asn: {} }]) {
    const input = verified({ metadata: { session_metadata: { geoip } } })
    const { context } = await enrichSession().process(input, operatorContext())
    expect(context).not.toHaveProperty("country")
    expect(context).not.toHaveProperty("asn")
  }
})
