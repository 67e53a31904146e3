import { MalformedError } from "../../errors.ts"
import type { ExplainedVerdict } from "../../events.ts"
import type { Page, VerdictQuery, VerdictStore } from "../../ports.ts"
import { HttpError } from "../http-error.ts"
import type { ApiParts } from "../parts.ts"
import { analyzeAnswer, profilesAnswer, verdictsAnswer } from "../schemas.ts"
import { BASE, type QueryParameter, type Route } from "./route.ts"

const LIMIT_DEFAULT = 100
const LIMIT_MAX = 1_000
const TEXT_MAX = 1_024
/** ISO 8601; a time without a zone is UTC, as everywhere on this wire. */
const ISO_TIME = /^\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?)?$/

const PAGE_PARAMETERS: readonly QueryParameter[] = [
  { name: "session_id", description: "only verdicts of this session" },
  { name: "since", description: "ISO 8601 (UTC without a zone) or epoch milliseconds" },
  { name: "limit", description: `1 to ${LIMIT_MAX}, default ${LIMIT_DEFAULT}` },
  { name: "cursor", description: "where the page before ended" },
]

export function verdictRoutes(parts: Pick<ApiParts, "verdicts">): readonly Route[] {
  const page = (request: Request) => readPage(request, storeOf(parts))
  return [
    {
      method: "GET",
      path: `${BASE}/verdicts`,
      summary: "Stored verdicts by session or time",
      query: PAGE_PARAMETERS,
      answer: verdictsAnswer,
      handle({ request }) {
        const { items, cursor = null } = page(request)
        return { verdicts: items.map(({ verdict }) => verdict), count: items.length, cursor }
      },
    },
    {
      method: "GET",
      path: `${BASE}/verdicts/:event_id`,
      summary: "One stored verdict and its explanation",
      answer: analyzeAnswer,
      handle: ({ params }) => readOne(storeOf(parts), params.event_id ?? ""),
    },
    {
      method: "GET",
      path: `${BASE}/profiles`,
      summary: "Profiles of the stored verdicts",
      query: PAGE_PARAMETERS,
      answer: profilesAnswer,
      handle({ request }) {
        const { items, cursor = null } = page(request)
        return { profiles: items.map(toProfile), count: items.length, cursor }
      },
    },
  ]
}

function storeOf({ verdicts }: Pick<ApiParts, "verdicts">): VerdictStore {
  if (verdicts === undefined) throw new HttpError("UNAVAILABLE", "this process keeps no verdicts")
  return verdicts
}

function readPage(request: Request, store: VerdictStore): Page<ExplainedVerdict> {
  return store.query(readQuery(new URL(request.url).searchParams))
}

function readOne(store: VerdictStore, eventId: string) {
  const found = store.byEvent(eventId)
  if (found === undefined) throw new HttpError("NOT_FOUND")
  return { verdict: found.verdict, explanation: found.explanation }
}

function toProfile({ verdict }: ExplainedVerdict) {
  const { session_id, event_id, timestamp, profile } = verdict
  return { session_id, event_id, timestamp, profile }
}

function readQuery(search: URLSearchParams): VerdictQuery {
  const sessionId = readText(search, "session_id")
  const since = readText(search, "since")
  const cursor = readText(search, "cursor")
  return {
    limit: readLimit(readText(search, "limit")),
    ...(sessionId !== undefined && { sessionId }),
    ...(since !== undefined && { sinceMs: readTime(since) }),
    ...(cursor !== undefined && { cursor }),
  }
}

function readText(search: URLSearchParams, name: string): string | undefined {
  const text = search.get(name) ?? ""
  if (text.length > TEXT_MAX) throw new MalformedError(name, `at most ${TEXT_MAX} characters`)
  return text === "" ? undefined : text
}

function readLimit(text: string | undefined): number {
  const limit = text === undefined ? LIMIT_DEFAULT : Number(text)
  if (Number.isInteger(limit) && limit >= 1 && limit <= LIMIT_MAX) return limit
  throw new MalformedError("limit", `a whole number from 1 to ${LIMIT_MAX}`)
}

function readTime(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text)
  const match = ISO_TIME.exec(text)
  const hasTime = text.includes("T")
  const timeMs = match === null ? Number.NaN : Date.parse(hasTime && !match[1] ? `${text}Z` : text)
  if (Number.isNaN(timeMs)) throw new MalformedError("since", "ISO 8601 or epoch milliseconds")
  return timeMs
}
