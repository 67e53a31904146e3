import { openapi } from "@elysiajs/openapi"
import { Elysia, NotFoundError } from "elysia"
import { Admission } from "./admission.ts"
import { type DirectHandler, directRoute, refusalTo } from "./direct-route.ts"
import { forwardTo } from "./forward.ts"
import { createRebindingGuard } from "./guard.ts"
import { createMethodTable } from "./method-table.ts"
import { describeRoute } from "./openapi.ts"
import type { ApiParts, InferenceParts, ProbeParts } from "./parts.ts"
import { createRefusal, type Refuse } from "./refusal.ts"
import { analysisRoutes } from "./routes/analysis.ts"
import { falsePositiveRoutes } from "./routes/false-positives.ts"
import { inferenceProtocolRoutes } from "./routes/inference-protocol.ts"
import { modelRoutes } from "./routes/models.ts"
import { operatingRoutes } from "./routes/operating.ts"
import { predictRoutes } from "./routes/predict.ts"
import type { Route } from "./routes/route.ts"
import { ruleRoutes } from "./routes/rules.ts"
import { sandboxRoutes } from "./routes/sandbox.ts"
import { simulationRoutes } from "./routes/simulations.ts"
import { probeRoutes, statusRoutes } from "./routes/status.ts"
import { verdictRoutes } from "./routes/verdicts.ts"
import { serveRoute } from "./serve-route.ts"

/** Bodies of up to 16 MiB that are held at once: 8 of them are 128 MiB. */
const LARGE_BODIES_MAX = 8

/** `handle` works without a port; `listen` puts it on one. */
export interface Api {
  handle(request: Request): Response | Promise<Response>
  /** POST routes by path that a server may call itself, past `handle`. */
  readonly direct: Readonly<Record<string, DirectHandler>>
}

/** The whole API: contract endpoints, probes, and the OpenAPI document at /openapi.json. */
export function createApi(parts: ApiParts): Api {
  const routes = [
    ...predictRoutes(parts),
    ...inferenceProtocolRoutes(parts),
    ...analysisRoutes(parts),
    ...verdictRoutes(parts),
    ...statusRoutes(parts),
    ...operatedRoutes(parts),
    ...probeRoutes(parts),
  ]
  return createApp(parts, routes)
}

/** What the models alone answer; all other requests go to the process behind `socket`. */
export function createInferenceApi(parts: InferenceParts, socket: string): Api {
  const routes = [
    ...predictRoutes(parts),
    ...inferenceProtocolRoutes(parts),
    ...probeRoutes(parts).filter(({ path }) => path === "/health"),
  ]
  const own = createApp(parts, routes)
  const knows = createMethodTable(routes)
  const forward = forwardTo(socket)
  const refuse = createRefusal(parts)
  return {
    direct: own.direct,
    async handle(request) {
      if (knows(request).error.code === "METHOD_NOT_ALLOWED") return own.handle(request)
      try {
        return await forward(request)
      } catch (thrown) {
        return refusalTo(request, refuse, { thrown, id: crypto.randomUUID() })
      }
    },
  }
}

/** The probes and what operates the flow, for a process that only runs it. */
export function createProbeApi(parts: ProbeParts): Api {
  return createApp(parts, [...probeRoutes(parts), ...operatedRoutes(parts)])
}

function operatedRoutes(parts: ProbeParts): readonly Route[] {
  return [
    ...operatingRoutes(parts),
    ...modelRoutes(parts),
    ...falsePositiveRoutes(parts),
    ...sandboxRoutes(parts),
    ...simulationRoutes(parts),
    ...ruleRoutes(parts),
  ]
}

function createApp(parts: ProbeParts, routes: readonly Route[]): Api {
  const refuse = createRefusal(parts)
  const app = createShell(parts, { routes, refuse })
  const admission = new Admission(LARGE_BODIES_MAX)
  for (const route of routes) {
    const serve = serveRoute(route, { ...parts, refuse, admission })
    const hook = { parse: "none", detail: describeRoute(route) } as const
    app.route(
      route.method,
      route.path,
      ({ request, params, set }) => serve({ request, params, set }),
      hook,
    )
  }
  app.compile()
  const direct = directRoutes(parts, { routes, refuse })
  return {
    direct,
    handle(request) {
      const handler = request.method === "POST" ? direct[new URL(request.url).pathname] : undefined
      return handler === undefined ? app.handle(request) : handler(request)
    },
  }
}

function directRoutes(
  parts: ProbeParts,
  { routes, refuse }: { routes: readonly Route[]; refuse: Refuse },
): Readonly<Record<string, DirectHandler>> {
  const refuseForeign = createRebindingGuard(parts)
  const options = { refuseForeign, refuse, telemetry: parts.telemetry }
  const direct = routes.filter(({ isDirect }) => isDirect)
  return Object.fromEntries(direct.map((route) => [route.path, directRoute(route, options)]))
}

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
        const unmatched = error instanceof NotFoundError ? explainUnmatched(request) : undefined
        if (unmatched?.allow !== undefined) set.headers.allow = unmatched.allow
        const answer = refuse(set, unmatched?.error ?? error, request)
        telemetry.responded("unmatched", Number(set.status))
        return answer
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
