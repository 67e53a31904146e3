import type { Admission } from "./admission.ts"
import { createTokenGuard } from "./guard.ts"
import type { ProbeParts } from "./parts.ts"
import type { Refuse, ResponseState } from "./refusal.ts"
import { type Call, PREDICT_BYTES_MAX, type Route } from "./routes/route.ts"

export interface ServeOptions extends Pick<ProbeParts, "apiToken" | "telemetry"> {
  readonly refuse: Refuse
  readonly admission: Admission
}

/** A route as the framework calls it: guarded, answered whatever happens, and counted. */
export function serveRoute(route: Route, options: ServeOptions) {
  const { refuse, telemetry } = options
  const handle = guarded(route, options)
  const answerCall = async (call: Call, set: ResponseState): Promise<unknown> => {
    try {
      const answer = await handle(call)
      set.status = answer instanceof Response ? answer.status : (route.status ?? 200)
      return answer
    } catch (thrown) {
      // Caught here, before Elysia: it trusts the `status` and `code` of whatever was thrown.
      return refuse(set, thrown, call.request)
    }
  }
  return async (context: Call & { set: ResponseState }): Promise<unknown> => {
    const answer = await answerCall(context, context.set)
    // Counted here: an after-response hook costs a timer for each request.
    telemetry.responded(route.path, Number(context.set.status))
    return answer
  }
}

/** The token first, then the place for a large body, then the work. */
function guarded(route: Route, { apiToken, admission }: ServeOptions): (call: Call) => unknown {
  const refuseStranger = route.changes || route.isPrivate ? createTokenGuard(apiToken) : () => {}
  const takesLarge = (route.bytesMax ?? 0) > PREDICT_BYTES_MAX
  return (call) => {
    refuseStranger(call.request)
    const isLarge = takesLarge && bytesAnnounced(call.request) > PREDICT_BYTES_MAX
    return isLarge ? admission.run(() => route.handle(call)) : route.handle(call)
  }
}

/** Infinity where the client does not say. */
function bytesAnnounced({ headers }: Request): number {
  return Number(headers.get("content-length") ?? Number.POSITIVE_INFINITY)
}
