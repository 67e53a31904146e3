import { MalformedError } from "../errors.ts"
import type { EvidenceEvent } from "../events.ts"
import { decodeCreated, decodeDocument, decodeReady } from "../evidence/decode-event.ts"
import { parseJson } from "../evidence/json-text.ts"
import type { Enrichment } from "../ports.ts"
import type { Operator, SourceRecord } from "../stream/types.ts"

const ENRICHMENT_CHARS_MAX = 65_536

/**
 * Reads a record into an evidence event, by the form that its topic carries.
 *
 * In: the record; a document may have a header `enrichment`, JSON of `{tags?, meta?}`, that stands
 * in for the event. Out: the event, its evidence not yet fetched.
 * @throws MalformedError naming the field; LocationRefusedError; TooLargeError
 */
export function decodeEvent(
  forms: Readonly<Record<string, EvidenceEvent["form"]>>,
): Operator<SourceRecord, EvidenceEvent> {
  const formByTopic = new Map(Object.entries(forms))
  return {
    name: "decode_event",
    concurrency: 16,
    process(record) {
      switch (formByTopic.get(record.topic)) {
        case "created":
          return decodeCreated(record.value)
        case "ready":
          return decodeReady(record.value)
        case "document":
          return decodeDocument(record.value, {
            receivedMs: record.timestampMs,
            ...readEnrichment(record),
          })
        default:
          throw new MalformedError("topic", "a topic that carries evidence")
      }
    },
  }
}

function readEnrichment(record: SourceRecord): { enrichment?: Enrichment } {
  const header = record.headers.enrichment
  if (header === undefined) return {}
  if (header.length > ENRICHMENT_CHARS_MAX) {
    throw new MalformedError("enrichment", `at most ${ENRICHMENT_CHARS_MAX} characters`)
  }
  return { enrichment: parseJson(header, "enrichment") as Enrichment }
}
