import { UnavailableError } from "../errors.ts"
import type { Api } from "./app.ts"
import { checkBinding, type GuardOptions } from "./guard.ts"

/**
 * Above the largest body that a route takes, so that our own 413 with its JSON answers; what is
 * larger still, the server refuses without reading it.
 */
const BODY_BYTES_MAX = 32 * 1_024 * 1_024
const IDLE_TIMEOUT_S = 10
const STOP_DEADLINE_MS = 5_000

export interface ListenOptions extends GuardOptions {
  /** 0 = any free one. */
  readonly port: number
  /** Whole seconds after which a connection is closed on which nothing moves; default 10. */
  readonly idleTimeoutS?: number
}

export interface Listening {
  readonly url: string
  readonly port: number
  /**
   * Takes no new connections, waits for the requests in flight and cuts them off at the deadline.
   * @param deadlineMs default 5,000
   */
  stop(deadlineMs?: number): Promise<void>
}

/**
 * Puts the API on a port.
 *
 * @throws {ConfigInvalidError} for an address beyond loopback without a token
 * @throws {UnavailableError} when the port is taken or the address is not ours
 */
export function listen(api: Api, options: ListenOptions): Listening {
  checkBinding(options)
  const server = serve(api, options)
  const host = options.host.includes(":") ? `[${options.host}]` : options.host
  const port = server.port ?? options.port
  return {
    url: `http://${host}:${port}`,
    port,
    stop: (deadlineMs = STOP_DEADLINE_MS) => stopWithin(server, deadlineMs),
  }
}

function serve(api: Api, { host, port, idleTimeoutS = IDLE_TIMEOUT_S }: ListenOptions) {
  try {
    return Bun.serve({
      hostname: host,
      port,
      routes: Object.fromEntries(
        Object.entries(api.direct).map(([path, handler]) => [path, { POST: handler }]),
      ),
      fetch: (request) => api.handle(request),
      maxRequestBodySize: BODY_BYTES_MAX,
      idleTimeout: idleTimeoutS,
      development: false,
      // Outside development Bun would share a port with a second Sentinel, silently.
      reusePort: false,
    })
  } catch (error) {
    throw new UnavailableError(`the address ${host}:${port}`, error)
  }
}

async function stopWithin(server: Bun.Server<unknown>, deadlineMs: number): Promise<void> {
  const deadline = Promise.withResolvers<void>()
  const timer = setTimeout(deadline.resolve, deadlineMs)
  const drained = server.stop(false)
  await Promise.race([drained, deadline.promise])
  clearTimeout(timer)
  // Not awaited: it stays pending while a handler does, which is what the deadline is against.
  void server.stop(true)
}
