import { answerError } from "./http-error.ts"
import type { ProbeParts } from "./parts.ts"

/** The part of Elysia's response state that a refusal sets. */
export interface ResponseState {
  readonly headers: Record<string, string | number>
  status?: number | string
}

export type Refuse = (set: ResponseState, thrown: unknown, request?: Request) => unknown

/** Paths of the Open Inference Protocol: its clients read an error that is a text. */
const PROTOCOL_PATH = /^https?:\/\/[^/]+\/v2(?:[/?]|$)/

/** Turns anything thrown into the status, headers and body of its answer. */
export function createRefusal({ log }: ProbeParts): Refuse {
  return (set, thrown, request) => {
    const { status, error } = answerError(thrown)
    const request_id = String(set.headers["x-request-id"])
    if (status === 500) log.error("request failed", { request_id, ...origin(thrown) })
    if (status === 401) set.headers["www-authenticate"] = "Bearer"
    if (status === 503 || status === 429) set.headers["retry-after"] = "1"
    set.status = status
    return PROTOCOL_PATH.test(request?.url ?? "") ? { error: error.message } : { error, request_id }
  }
}

/** Where an unexpected error came from, for the log: never its message, which may hold input. */
function origin(thrown: unknown): { error: string; at?: string } {
  if (!(thrown instanceof Error)) return { error: typeof thrown }
  const at = thrown.stack?.split("\n").find((line) => line.trimStart().startsWith("at "))
  return { error: thrown.name, ...(at !== undefined && { at: at.trim() }) }
}
