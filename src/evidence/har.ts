import { MalformedError } from "../errors.ts"
import type { SessionRequest } from "../events.ts"
import { FieldReader, isJsonObject } from "./field-reader.ts"
import { splitTarget } from "./request-target.ts"
import { parseTimestamp } from "./timestamp.ts"

/** Requests of one session that are read; the rest is cut, and said to be. */
export const REQUESTS_MAX = 5_000
/** Headers, query parameters, cookies and form parameters of one request that are read, each. */
const PAIRS_MAX = 1_000
/** Characters of one request body that are read. */
export const BODY_CHARS_MAX = 1_048_576

export interface NameValue {
  readonly name: string
  readonly value: string
}

/** A request with what HAR says of it twice: a producer may leave out one or contradict itself. */
export interface HarEntry {
  readonly request: SessionRequest
  readonly queryString: readonly NameValue[]
  readonly cookies: readonly NameValue[]
  readonly bodyParams: readonly NameValue[]
  /** As the `content-type` header says, else as HAR does; "" when neither. */
  readonly mimeType: string
}

export interface HarReading {
  readonly entries: readonly HarEntry[]
  readonly truncated: boolean
}

/**
 * Reads a HAR 1.2 log: the document `{log: {entries}}` or the log object itself.
 *
 * Optional fields may be null or absent. `startedDateTime` may be unusable, sizes and times
 * negative: they read as unknown or 0.
 * @throws MalformedError for a missing `entries`, `method` or `url`, or any wrong type
 */
export function readHar(har: unknown, path = "har"): HarReading {
  const log = harLog(har, path)
  const entries = log.list("entries")
  if (entries === undefined) throw new MalformedError(log.path("entries"), "an array")
  return readHarEntries(entries, log.path("entries"))
}

/** The entries of a HAR log, at most REQUESTS_MAX of them. @throws MalformedError */
export function readHarEntries(entries: readonly unknown[], path: string): HarReading {
  const kept = entries.slice(0, REQUESTS_MAX)
  const read = kept.map((entry, index) =>
    readEntry(new FieldReader(entry, `${path}[${index}]`), index),
  )
  return { entries: read, truncated: entries.length > REQUESTS_MAX || read.some(isCut) }
}

/** Start of the earliest entry, epoch milliseconds. @throws MalformedError */
export function firstRequestMs(har: unknown): number | undefined {
  const log = harLog(har, "har")
  let earliest: number | undefined
  for (const [index, entry] of (log.list("entries") ?? []).slice(0, REQUESTS_MAX).entries()) {
    const fields = new FieldReader(entry, log.path(`entries[${index}]`))
    const started = parseTimestamp(fields.text("startedDateTime") ?? "")
    if (started !== undefined && !(earliest !== undefined && earliest <= started))
      earliest = started
  }
  return earliest
}

/** The pages that a browser's HAR lists beside its entries; none where they are of another form. */
export function harPages(har: unknown): readonly unknown[] {
  const pages = harLog(har, "har").value("pages")
  return Array.isArray(pages) ? pages : []
}

/** The log object, whether it is the document or inside it. */
function harLog(har: unknown, path: string): FieldReader {
  const document = new FieldReader(har, path)
  return document.has("log") ? document.object("log") : document
}

function isCut({ request, queryString, cookies, bodyParams }: HarEntry): boolean {
  if (request.body.length >= BODY_CHARS_MAX) return true
  return [request.headers, queryString, cookies, bodyParams].some(
    (list) => list.length >= PAIRS_MAX,
  )
}

function readEntry(entry: FieldReader, index: number): HarEntry {
  const fields = requiredObject(entry, "request")
  const response = entry.object("response")
  const url = fields.requiredText("url")
  const headers = readPairs(fields, "headers")
  const postData = fields.object("postData")
  return {
    request: {
      index,
      startedMs: parseTimestamp(entry.text("startedDateTime") ?? ""),
      timeMs: atLeastZero(entry.number("time")),
      method: fields.requiredText("method"),
      url,
      ...splitTarget(url),
      headers,
      userAgent: headerValue(headers, "user-agent") ?? "",
      body: (postData.text("text") ?? "").slice(0, BODY_CHARS_MAX),
      status: atLeastZero(response.number("status")),
      responseBytes: readResponseBytes(response),
    },
    queryString: readPairs(fields, "queryString"),
    cookies: readPairs(fields, "cookies"),
    bodyParams: readPairs(postData, "params"),
    mimeType: (
      headerValue(headers, "content-type") ??
      postData.text("mimeType") ??
      ""
    ).toLowerCase(),
  }
}

function requiredObject(entry: FieldReader, name: string): FieldReader {
  if (!entry.has(name)) throw new MalformedError(entry.path(name), "an object")
  return entry.object(name)
}

/** A HAR list of `{name, value}`; a missing name or value is empty, as in a `params` file. */
function readPairs(fields: FieldReader, name: string): readonly NameValue[] {
  const list = fields.list(name)
  if (list === undefined || list.length === 0) return []
  return list.slice(0, PAIRS_MAX).map((pair, index) => readPair(pair, fields, `${name}[${index}]`))
}

/** The common case without a reader: this runs for every header of every request. */
function readPair(pair: unknown, fields: FieldReader, name: string): NameValue {
  if (isJsonObject(pair) && typeof pair.name === "string" && typeof pair.value === "string") {
    return { name: pair.name, value: pair.value }
  }
  const reader = new FieldReader(pair, fields.path(name))
  return { name: reader.text("name") ?? "", value: reader.text("value") ?? "" }
}

/** The value of the first header of this lower-case name, in whatever case it was written. */
function headerValue(headers: readonly NameValue[], name: string): string | undefined {
  return headers.find(
    (header) => header.name.length === name.length && header.name.toLowerCase() === name,
  )?.value
}

function readResponseBytes(response: FieldReader): number {
  const size = response.object("content").number("size")
  return atLeastZero(size !== undefined && size >= 0 ? size : response.number("bodySize"))
}

function atLeastZero(value: number | undefined): number {
  return value === undefined ? 0 : Math.max(0, value)
}
