import { expect, test } from "bun:test"
import { decodeEvent } from "../../src/operators/decode-event.ts"
import { failure, sampleRecord, utf8 } from "../evidence/sample-evidence.ts"
import { operatorContext } from "../support/operator-context.ts"

const FORMS = {
  "events.evidence_created": "created",
  "cerberus.evidence.ready": "ready",
  inbox: "document",
} as const

const CREATED = {
  event_id: "e-1",
  timestamp: "2026-01-02T03:04:05Z",
  source: "labyrinth",
  session_id: "s-1",
  evidence_uri: "minio://evidence/a.json",
}
const READY = {
  event_id: "e-2",
  status: "evidence_ready",
  session_id: "s-2",
  location: "s3://evidence/e-2/",
  timestamp: "2026-01-02T03:04:05",
}

const decode = (changes: Parameters<typeof sampleRecord>[0]) =>
  decodeEvent(FORMS).process(sampleRecord(changes), operatorContext())

test("decodeEvent reads each topic in its own form", async () => {
  const created = await decode({ topic: "events.evidence_created", value: utf8(CREATED) })
  const ready = await decode({ topic: "cerberus.evidence.ready", value: utf8(READY) })
  const document = await decode({ topic: "inbox", value: utf8("{}") })
  expect([created.form, ready.form, document.form]).toEqual(["created", "ready", "document"])
  expect(document.eventTimeMs).toBe(sampleRecord().timestampMs)
})

test("decodeEvent refuses a topic that it was not given, inherited names included", async () => {
  for (const topic of ["other", "constructor"]) {
    expect(await failure(() => decode({ topic, value: utf8(CREATED) }))).toBe("MALFORMED topic")
  }
})

test("decodeEvent reads a document's enrichment from its header", async () => {
  const headers = { enrichment: JSON.stringify({ tags: ["poi"], meta: { is_tor: true } }) }
  const event = await decode({ value: utf8("{}"), headers })
  expect(event.context).toMatchObject({ tags: ["poi"], isTor: true })
})

test.each([
  ["{", "MALFORMED enrichment"],
  ["[]", "MALFORMED enrichment"],
  ['{"tags":"poi"}', "MALFORMED enrichment.tags"],
  [`"${"x".repeat(70_000)}"`, "MALFORMED enrichment"],
])("decodeEvent refuses the enrichment %.20s", async (enrichment, expected) => {
  expect(await failure(() => decode({ value: utf8("{}"), headers: { enrichment } }))).toBe(expected)
})
