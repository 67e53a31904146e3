import type { EvidenceDocument } from "../events.ts"
import { isJsonObject } from "./field-reader.ts"
import { firstRequestMs, harPages } from "./har.ts"
import { parseTimestamp } from "./timestamp.ts"

/**
 * When the session of a document was, by what the document itself says: the start of its earliest
 * request, else of its first page, else what its metadata calls the session's start or its creation.
 *
 * @returns epoch milliseconds; undefined where none of them is a time
 * @throws MalformedError naming the HAR field
 */
export function documentTimeMs(
  document: Pick<EvidenceDocument, "har" | "metadata">,
): number | undefined {
  return firstRequestMs(document.har) ?? firstTime(statedTimes(document))
}

function statedTimes({ har, metadata }: Pick<EvidenceDocument, "har" | "metadata">): unknown[] {
  const [page] = harPages(har)
  const outer = membersOf(metadata)
  const session = membersOf(outer.session_metadata)
  return [membersOf(page).startedDateTime, session.session_start, outer.created_at]
}

function firstTime(values: readonly unknown[]): number | undefined {
  const texts = values.filter((value) => typeof value === "string")
  return texts.map(parseTimestamp).find((timeMs) => timeMs !== undefined)
}

/** What is of another form says nothing here. */
function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  return isJsonObject(value) ? value : {}
}
