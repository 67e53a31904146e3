import type { ExplainedVerdict } from "../../events.ts"
import type { Page, VerdictQuery, VerdictStore } from "../../ports.ts"
import { HttpError } from "../http-error.ts"
import type { ApiParts } from "../parts.ts"
import { analyzeAnswer, profilesAnswer, verdictsAnswer } from "../schemas.ts"
import { PAGE_PARAMETERS, readPageQuery, readText } from "./page-query.ts"
import { BASE, type QueryParameter, type Route } from "./route.ts"

const VERDICT_PARAMETERS: readonly QueryParameter[] = [
  { name: "session_id", description: "only verdicts of this session" },
  ...PAGE_PARAMETERS,
]

export function verdictRoutes(parts: Pick<ApiParts, "verdicts">): readonly Route[] {
  const page = (request: Request) => readPage(request, storeOf(parts))
  return [
    {
      method: "GET",
      path: `${BASE}/verdicts`,
      summary: "Stored verdicts by session or time",
      query: VERDICT_PARAMETERS,
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
      query: VERDICT_PARAMETERS,
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
  return { ...readPageQuery(search), ...(sessionId !== undefined && { sessionId }) }
}
