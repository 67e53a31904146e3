import { openapi } from "@elysiajs/openapi"
import { type AnyElysia, Elysia, NotFoundError } from "elysia"
import { Admission } from "./admission.ts"
import { createRebindingGuard, createTokenGuard } from "./guard.ts"
import { answerError } from "./http-error.ts"
import { createMethodTable } from "./method-table.ts"
import { describeRoute } from "./openapi.ts"
import type { ApiParts, ProbeParts } from "./parts.ts"
import { analysisRoutes } from "./routes/analysis.ts"
import { predictRoutes } from "./routes/predict.ts"
import { type Call, PREDICT_BYTES_MAX, type Route } from "./routes/route.ts"
import { probeRoutes, statusRoutes } from "./routes/status.ts"
import { verdictRoutes } from "./routes/verdicts.ts"

/** Bodies of up to 16 MiB that are held at once: 8 of them are 128 MiB. */
const LARGE_BODIES_MAX = 8

/** `handle` works without a port; `listen` puts it on one. */
export interface Api {
  handle(request: Request): Response | Promise<Response>
}

/** The whole API: contract endpoints, probes, and the OpenAPI document at /openapi.json. */
export function createApi(parts: ApiParts): Api {
  const routes = [
    ...predictRoutes(parts),
    ...analysisRoutes(parts),
    ...verdictRoutes(parts),
    ...statusRoutes(parts),
    ...probeRoutes(parts),
  ]
  return createApp(parts, routes)
}

/** /health, /ready and /metrics alone, for a process that only runs the flow. */
export function createProbeApi(parts: ProbeParts): Api {
  return createApp(parts, probeRoutes(parts))
}

function createApp(parts: ProbeParts, routes: readonly Route[]): Api {
  const refuse = createRefusal(parts)
  const app = createShell(parts, { routes, refuse })
  const admission = new Admission(LARGE_BODIES_MAX)
  for (const route of routes) {
    mount(app, route, { handle: guarded(route, { ...parts, admission }), refuse })
  }
  return app.compile()
}

/** The part of Elysia's response state that is used here. */
interface ResponseState {
  readonly headers: Record<string, string | number>
  status?: number | string
}

type Refuse = (set: ResponseState, thrown: unknown) => unknown

/** What every request passes, whether or not a route takes it. */
function createShell(
  parts: ProbeParts,
  { routes, refuse }: { routes: readonly Route[]; refuse: Refuse },
) {
  const refuseForeign = createRebindingGuard(parts)
  const explainUnmatched = createMethodTable(routes)
  const { telemetry } = parts
  return (
    new Elysia({ normalize: false })
      .onRequest(({ request, set }) => {
        set.headers["x-request-id"] = crypto.randomUUID()
        set.headers["x-content-type-options"] = "nosniff"
        telemetry.requested()
        refuseForeign(request)
      })
      // It always answers: Elysia's own handler would send the message of any thrown value.
      .onError(({ error, request, set }) => {
        if (!(error instanceof NotFoundError)) return refuse(set, error)
        const unmatched = explainUnmatched(request)
        if (unmatched.allow !== undefined) set.headers.allow = unmatched.allow
        return refuse(set, unmatched.error)
      })
      .onAfterResponse(({ route, set }) => {
        telemetry.responded(route || "unmatched", Number(set.status ?? 200))
      })
      .use(openapi({ provider: null, specPath: "/openapi.json", documentation: about(parts) }))
  )
}

function about({ version }: ProbeParts) {
  const description = "Honeypot evidence in, explained verdict out."
  return {
    info: { title: "Sentinel", version, description },
    components: { securitySchemes: { token: { type: "http", scheme: "bearer" } } },
  } as const
}

/** Turns anything thrown into the status, headers and body of its answer. */
function createRefusal({ log }: ProbeParts): Refuse {
  return (set, thrown) => {
    const { status, error } = answerError(thrown)
    const request_id = String(set.headers["x-request-id"])
    if (status === 500) log.error("request failed", { request_id, ...origin(thrown) })
    if (status === 401) set.headers["www-authenticate"] = "Bearer"
    if (status === 503) set.headers["retry-after"] = "1"
    set.status = status
    return { error, request_id }
  }
}

/** Where an unexpected error came from, for the log: never its message, which may hold input. */
function origin(thrown: unknown): { error: string; at?: string } {
  if (!(thrown instanceof Error)) return { error: typeof thrown }
  const at = thrown.stack?.split("\n").find((line) => line.trimStart().startsWith("at "))
  return { error: thrown.name, ...(at !== undefined && { at: at.trim() }) }
}

interface Mounted {
  readonly handle: (call: Call) => unknown
  readonly refuse: Refuse
}

function mount(app: AnyElysia, route: Route, { handle, refuse }: Mounted): void {
  const status = route.status ?? 200
  app.route(
    route.method,
    route.path,
    async ({ request, params, set }) => {
      try {
        const answer = await handle({ request, params })
        set.status = answer instanceof Response ? answer.status : status
        return answer
      } catch (thrown) {
        // Caught here, before Elysia: it trusts the `status` and `code` of whatever was thrown.
        return refuse(set, thrown)
      }
    },
    { parse: "none", detail: describeRoute(route) },
  )
}

interface Guards extends ProbeParts {
  readonly admission: Admission
}

/** The token first, then the place for a large body, then the work. */
function guarded(route: Route, { apiToken, admission }: Guards): (call: Call) => unknown {
  const refuseStranger = route.changes ? createTokenGuard(apiToken) : () => {}
  const large = (route.bytesMax ?? 0) > PREDICT_BYTES_MAX
  return (call) => {
    refuseStranger(call.request)
    return large ? admission.run(() => route.handle(call)) : route.handle(call)
  }
}
