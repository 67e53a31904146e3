import { HttpError } from "./http-error.ts"
import type { ProbeParts } from "./parts.ts"
import type { Refuse, ResponseState } from "./refusal.ts"
import type { Route } from "./routes/route.ts"
import { TurnLimit } from "./turn-limit.ts"

export interface DirectOptions extends Pick<ProbeParts, "telemetry"> {
  readonly refuse: Refuse
  /** @throws {HttpError} */
  readonly refuseForeign: (request: Request) => void
}

/**
 * A refusal that is sent at once is followed by the next request of the same client, and costs half as
 * much as an answer: it is sent after a while, in which the answers of others are made.
 */
const REFUSAL_DELAY_MS = 250
/** Refusals that wait; further ones are sent at once. */
const REFUSALS_MAX = 10_000
/** One for all: to make an error costs more than to answer. */
const OVERLOADED = new HttpError("OVERLOADED")

export type DirectHandler = (request: Request) => Promise<Response>

const JSON_TYPE = "application/json"

/**
 * Serves a route without the framework, for what is asked with every request of a customer: the same
 * guard, the same headers, the same errors and the same counters.
 */
export function directRoute(route: Route, options: DirectOptions): DirectHandler {
  const { refuseForeign, refuse, telemetry } = options
  // Copied for each response by the runtime, which is cheaper than to read an object each time.
  const headers = new Headers({ "content-type": JSON_TYPE, "x-content-type-options": "nosniff" })
  const answered = { headers }
  const limit = new TurnLimit()
  let waiting = 0
  const refuseLater = async (request: Request, id: string): Promise<Response> => {
    if (waiting < REFUSALS_MAX) {
      waiting += 1
      // not all at the same time, or they would come back together
      await Bun.sleep(REFUSAL_DELAY_MS * (0.5 + Math.random()))
      waiting -= 1
    }
    telemetry.responded(route.path, OVERLOADED.status)
    return refusalTo(request, refuse, { thrown: OVERLOADED, id })
  }
  return async (request) => {
    telemetry.requested()
    const id = crypto.randomUUID()
    try {
      refuseForeign(request)
      if (!limit.admits()) return refuseLater(request, id)
      const answer = await route.handle({ request, params: {} })
      const text = typeof answer === "string" ? answer : JSON.stringify(answer)
      const response = new Response(text, answered)
      response.headers.set("x-request-id", id)
      telemetry.responded(route.path, 200)
      return response
    } catch (thrown) {
      const refused = refusalTo(request, refuse, { thrown, id })
      telemetry.responded(route.path, refused.status)
      return refused
    }
  }
}

/** The answer to anything thrown while a request was served past the framework. */
export function refusalTo(
  request: Request,
  refuse: Refuse,
  { thrown, id }: { readonly thrown: unknown; readonly id: string },
): Response {
  const state: ResponseState = { headers: { "x-request-id": id } }
  const body = refuse(state, thrown, request)
  const response = Response.json(body, { status: Number(state.status) })
  response.headers.set("x-content-type-options", "nosniff")
  for (const [name, value] of Object.entries(state.headers)) {
    response.headers.set(name, String(value))
  }
  return response
}
