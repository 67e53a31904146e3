import type { StoredDeadLetter } from "../../stream/types.ts"
import { readJson } from "../body.ts"
import { HttpError } from "../http-error.ts"
import type { DeadLetters, OperatingParts, RedriveRequest } from "../parts.ts"
import {
  createReader,
  deadLetterAnswer,
  deadLettersAnswer,
  redriveAnswer,
  redriveRequest,
  topologyAnswer,
} from "../schemas.ts"
import { PAGE_PARAMETERS, readPageQuery, readText, readTime } from "./page-query.ts"
import { BASE, PREDICT_BYTES_MAX, type QueryParameter, type Route } from "./route.ts"

interface Operated {
  readonly operating: OperatingParts
}

const LETTER_PARAMETERS: readonly QueryParameter[] = [
  { name: "code", description: "only letters whose last failure has this code" },
  ...PAGE_PARAMETERS,
]
const REDRIVE_LIMIT_DEFAULT = 100

/** What whoever operates a process asks: also served by one that only runs the flow. */
export function operatingRoutes(parts: Operated): readonly Route[] {
  return [topology(parts), listLetters(parts), redriveLetters(parts), showLetter(parts)]
}

function topology({ operating }: Operated): Route {
  return {
    method: "GET",
    path: `${BASE}/topology`,
    summary: "The running graph: guarantees, rates, where it waits, lag",
    answer: topologyAnswer,
    handle() {
      if (operating.topology === undefined) {
        throw new HttpError("UNAVAILABLE", "this process runs no flow")
      }
      return operating.topology()
    },
  }
}

function listLetters(parts: Operated): Route {
  return {
    method: "GET",
    path: `${BASE}/dead-letters`,
    summary: "Dead letters, newest first, without their bytes",
    query: LETTER_PARAMETERS,
    answer: deadLettersAnswer,
    handle({ request }) {
      const search = new URL(request.url).searchParams
      const code = readText(search, "code")
      const query = { ...readPageQuery(search), ...(code !== undefined && { code }) }
      const { items, cursor = null } = lettersOf(parts).list(query)
      return { dead_letters: items.map(letterDocument), count: items.length, cursor }
    },
  }
}

function showLetter(parts: Operated): Route {
  return {
    method: "GET",
    path: `${BASE}/dead-letters/:id`,
    summary: "One dead letter with its original bytes",
    isPrivate: true,
    answer: deadLetterAnswer,
    handle({ params }) {
      const letter = lettersOf(parts).get(params.id ?? "")
      if (letter === undefined) throw new HttpError("NOT_FOUND")
      const value = Buffer.from(letter.record.value).toString("base64")
      return { ...letterDocument(letter), value_base64: value }
    },
  }
}

function redriveLetters(parts: Operated): Route {
  const read = createReader(redriveRequest)
  return {
    method: "POST",
    path: `${BASE}/dead-letters/redrive`,
    summary: "Put dead letters back where they came from, unchanged",
    changes: true,
    bytesMax: PREDICT_BYTES_MAX,
    body: redriveRequest,
    answer: redriveAnswer,
    async handle({ request }) {
      const {
        since,
        limit = REDRIVE_LIMIT_DEFAULT,
        ...selection
      } = read(await readJson(request, PREDICT_BYTES_MAX))
      const sinceMs = since === undefined ? {} : { sinceMs: readTime(since) }
      const wanted = { ...selection, ...sinceMs, limit } as RedriveRequest
      const { isComplete, cursor = null, ...report } = await lettersOf(parts).redrive(wanted)
      return { ...report, complete: isComplete, cursor }
    },
  }
}

function lettersOf({ operating }: Operated): DeadLetters {
  if (operating.deadLetters !== undefined) return operating.deadLetters
  throw new HttpError("UNAVAILABLE", "this process keeps no dead letters")
}

function letterDocument(letter: StoredDeadLetter) {
  const { record, lastFailure } = letter
  return {
    id: letter.id,
    code: letter.code,
    operator: letter.operator,
    message: letter.message,
    attempts: letter.attempts,
    failed_at: isoTime(letter.failedAtMs),
    state: letter.state,
    redrives: letter.redrives,
    redriven_at: isoTime(letter.redrivenAtMs),
    settled_at: isoTime(letter.settledAtMs),
    last_failure: lastFailure
      ? { ...lastFailure, failedAtMs: undefined, failed_at: isoTime(lastFailure.failedAtMs) }
      : null,
    topic: record.topic,
    partition: record.partition,
    offset: record.offset.toString(),
    key: record.key,
    headers: record.headers,
    received_at: isoTime(record.receivedAtMs),
    value_bytes: record.value.byteLength,
  }
}

function isoTime(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString()
}
