import type { ApiParts, ProbeParts } from "../parts.ts"
import { healthAnswer, readyAnswer, statsAnswer } from "../schemas.ts"
import { BASE, type Route } from "./route.ts"

/** What orchestrators and Prometheus ask; also served by a process without the API. */
export function probeRoutes(parts: ProbeParts): readonly Route[] {
  return [
    {
      method: "GET",
      path: "/health",
      summary: "Live: the process answers",
      answer: healthAnswer,
      handle: () => ({ status: "healthy", service: "sentinel", version: parts.version }),
    },
    {
      method: "GET",
      path: "/ready",
      summary: "Ready for work; 503 with the reasons when not",
      answer: readyAnswer,
      handle() {
        const { ready, reasons } = parts.ready()
        const answer = { status: ready ? "ready" : "not_ready", reasons }
        return Response.json(answer, { status: ready ? 200 : 503 })
      },
    },
    {
      method: "GET",
      path: "/metrics",
      summary: "Prometheus text format",
      answer: "text",
      async handle() {
        const headers = { "content-type": parts.telemetry.contentType }
        return new Response(await parts.telemetry.render(), { headers })
      },
    },
  ]
}

export function statusRoutes(parts: ApiParts): readonly Route[] {
  const startedMs = parts.clock.nowMs()
  return [
    {
      method: "GET",
      path: `${BASE}/stats`,
      summary: "What the process has done since it started",
      answer: statsAnswer,
      handle() {
        const { verdicts, deadLetters, engine } = parts.stats()
        return {
          verdicts,
          verdicts_stored: parts.verdicts?.count() ?? null,
          dead_letters: deadLetters,
          uptime_seconds: (parts.clock.nowMs() - startedMs) / 1_000,
          engine,
          models: parts.models.map((model) => model.modelId),
          version: parts.version,
        }
      },
    },
  ]
}
