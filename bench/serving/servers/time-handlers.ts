import { writeFileSync } from "node:fs"

/**
 * Preloaded into a server: times each call of its request handlers, from the call until the response
 * is there, and writes the percentiles (microseconds) to TIMES_FILE when the process ends.
 */

const CALLS_MAX = 2_000_000
const times = new Float64Array(CALLS_MAX)
let calls = 0

type Handler = (...given: unknown[]) => unknown

function timed(handler: Handler): Handler {
  return async function (this: unknown, ...given: unknown[]) {
    const beganMs = performance.now()
    const response = await handler.apply(this, given)
    times[calls++ % CALLS_MAX] = (performance.now() - beganMs) * 1_000
    return response
  }
}

/** Handlers of `fetch` and `routes`, however deep in the table they stand. */
function withTimes(value: unknown): unknown {
  if (typeof value === "function") return timed(value as Handler)
  if (value === null || typeof value !== "object" || value instanceof Response) return value
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, withTimes(each)]))
}

const serve = Bun.serve as unknown as (options: Record<string, unknown>) => unknown
Object.assign(Bun, {
  serve: (options: Record<string, unknown>) =>
    serve({
      ...options,
      ...(options.fetch !== undefined && { fetch: timed(options.fetch as Handler) }),
      ...(options.routes !== undefined && { routes: withTimes(options.routes) }),
    }),
})

process.on("exit", () => {
  const sorted = times.subarray(0, Math.min(calls, CALLS_MAX)).sort()
  const at = (share: number) => sorted[Math.floor(sorted.length * share)] ?? Number.NaN
  const result = { calls, p50: at(0.5), p90: at(0.9), p99: at(0.99) }
  writeFileSync(process.env.TIMES_FILE ?? "", JSON.stringify(result))
})
