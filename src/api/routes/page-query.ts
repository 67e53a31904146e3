import { MalformedError } from "../../errors.ts"
import type { QueryParameter } from "./route.ts"

const LIMIT_DEFAULT = 100
const LIMIT_MAX = 1_000
const TEXT_MAX = 1_024
/** ISO 8601; a time without a zone is UTC, as everywhere on this wire. */
const ISO_TIME = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?$/

export const PAGE_PARAMETERS: readonly QueryParameter[] = [
  { name: "since", description: "ISO 8601 (UTC without a zone) or epoch milliseconds" },
  { name: "limit", description: `1 to ${LIMIT_MAX}, default ${LIMIT_DEFAULT}` },
  { name: "cursor", description: "where the page before ended" },
]

/** What every list takes. @throws MalformedError naming the parameter */
export function readPageQuery(search: URLSearchParams) {
  const since = readText(search, "since")
  const cursor = readText(search, "cursor")
  return {
    limit: readLimit(readText(search, "limit")),
    ...(since !== undefined && { sinceMs: readTime(since) }),
    ...(cursor !== undefined && { cursor }),
  }
}

/** @throws MalformedError above 1,024 characters */
export function readText(search: URLSearchParams, name: string): string | undefined {
  const text = search.get(name) ?? ""
  if (text.length > TEXT_MAX) throw new MalformedError(name, `at most ${TEXT_MAX} characters`)
  return text === "" ? undefined : text
}

/** @returns epoch milliseconds; @throws MalformedError */
export function readTime(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  const match = ISO_TIME.exec(text)
  const hasTime = text.includes("T")
  const timeMs = match === null ? Number.NaN : Date.parse(hasTime && !match[1] ? `${text}Z` : text)
  if (Number.isNaN(timeMs)) throw new MalformedError("since", "ISO 8601 or epoch milliseconds")
  return timeMs
}

function readLimit(text: string | undefined): number {
  const limit = text === undefined ? LIMIT_DEFAULT : Number(text)
  if (Number.isInteger(limit) && limit >= 1 && limit <= LIMIT_MAX) return limit
  throw new MalformedError("limit", `a whole number from 1 to ${LIMIT_MAX}`)
}
