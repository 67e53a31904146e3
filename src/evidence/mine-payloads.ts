import type { HarEntry, NameValue } from "./har.ts"
import { mineBody } from "./mine-body.ts"
import { mineFields } from "./mine-fields.ts"
import type { PayloadCollector } from "./payload-collector.ts"
import { type RawField, splitFields } from "./request-target.ts"

const SEGMENTS_MAX = 256

/** Headers whose text applications log, store or parse: mined whatever they hold. */
const MINED_HEADERS = new Set([
  "user-agent",
  "referer",
  "origin",
  "from",
  "via",
  "forwarded",
  "client-ip",
  "true-client-ip",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-real-ip",
  "x-original-url",
  "x-rewrite-url",
  "x-api-version",
])
/** Mined elsewhere, or full of quotes by nature. */
const SKIPPED_HEADERS = new Set(["cookie", "if-match", "if-none-match", "etag"])
/** What no ordinary value of any other header holds. */
const SUSPICIOUS = /[<>'"`\\|{}[\]]|\$\(|\.\.[/\\]|%(?:0|2[27ef]|3[bce]|5c|60|7c)/i
const UNENCODED = /[ "<>\\^`{|}]/
const BEYOND_SEGMENTS = /\.\.|[%\\;]/

/**
 * Finds every text that an attacker could have chosen in one request. Texts are as they stood on the
 * wire: percent-encoding and plus signs are the classifier's to undo; JSON strings are unescaped.
 *
 * Locations: `path`, `path:<n>` (n-th segment, from 1), `query:<name>`, `query` (without a name),
 * `query-name`, `form:<name>`, `multipart:<name>`, `multipart-filename:<name>`, `json:<JSONPath>`,
 * `json-key:<JSONPath>`, `cookie:<name>`, `header:<lower-case name>`, `body`.
 */
export function minePayloads(entry: HarEntry, collector: PayloadCollector): void {
  const { request } = entry
  collector.startRequest(request.index)
  minePath(request.path, collector)
  const fields = splitFields(request.query, "&")
  mineFields(fields, { place: "query", kind: "param" }, collector)
  mineUnencodedQuery(request.query, collector)
  mineQueryString(entry.queryString, fields, collector)
  for (const header of request.headers) mineHeader(header, collector)
  mineCookies(entry, collector)
  mineBody(entry, collector)
}

/** Each segment, and the whole where cutting at slashes would hide what it does. */
function minePath(path: string, collector: PayloadCollector): void {
  if (BEYOND_SEGMENTS.test(path)) collector.add(path, "path", "path")
  const segments = path.split("/", SEGMENTS_MAX + 1)
  if (segments.length > SEGMENTS_MAX) collector.truncated = true
  let number = 0
  for (const segment of segments) {
    if (segment === "") continue
    number += 1
    collector.add(segment, "path", `path:${number}`)
  }
}

/** In a URL that nobody encoded an ampersand may belong to a value: `?q=a && id`. */
function mineUnencodedQuery(query: string, collector: PayloadCollector): void {
  if (query.includes("&") && UNENCODED.test(query)) collector.add(query, "request", "query")
}

/** HAR's own list of the query may disagree with the URL; what only it says is mined as well. */
function mineQueryString(
  listed: readonly NameValue[],
  fields: readonly RawField[],
  collector: PayloadCollector,
): void {
  if (listed.length === 0) return
  const said = listed.filter(({ value }, index) => !saysTheSame(fields[index]?.value, value))
  mineFields(said, { place: "query", kind: "param" }, collector)
}

function saysTheSame(raw: string | undefined, decoded: string): boolean {
  if (raw === undefined || raw === decoded) return raw === decoded
  if (!/[%+]/.test(raw)) return false
  try {
    return (
      decodeURIComponent(raw) === decoded ||
      decodeURIComponent(raw.replaceAll("+", " ")) === decoded
    )
  } catch {
    return false
  }
}

function mineHeader({ name, value }: NameValue, collector: PayloadCollector): void {
  const lowerName = name.toLowerCase()
  if (SKIPPED_HEADERS.has(lowerName) || lowerName.startsWith("sec-")) return
  if (MINED_HEADERS.has(lowerName) || SUSPICIOUS.test(value)) {
    collector.add(value, "header", `header:${lowerName}`)
  }
}

function mineCookies({ request, cookies }: HarEntry, collector: PayloadCollector): void {
  for (const { name, value } of request.headers) {
    if (name.length !== 6 || name.toLowerCase() !== "cookie") continue
    const fields = splitFields(value, ";")
    mineFields(fields.map(trimmed), { place: "cookie", kind: "cookie" }, collector)
  }
  mineFields(cookies, { place: "cookie", kind: "cookie" }, collector)
}

function trimmed({ name, value }: RawField): RawField {
  return { name: name?.trim(), value: value.trim() }
}
