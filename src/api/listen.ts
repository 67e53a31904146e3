import { withDeadline } from "../clock.ts"
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
  /** True where several processes serve the port, each its own connections. */
  readonly shared?: boolean
}

export interface Listening {
  readonly url: string
  readonly port: number
  /**
   * Takes leave of every connection: each gets `Connection: close` with its next answer, and those
   * on which nothing moves run into the idle timeout; then stops. No answer is lost, and no client
   * writes into a connection that was closed under it, as with `stop`.
   */
  drain(): Promise<void>
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
  const { host, port, idleTimeoutS = IDLE_TIMEOUT_S, shared = false } = options
  const leaving = leaveTaking(api)
  const server = serve(leaving.api, {
    ...{ hostname: host, port, idleTimeout: idleTimeoutS },
    // Outside development Bun would share a port with a second Sentinel, silently.
    reusePort: shared,
  })
  const bound = server.port ?? port
  return {
    url: urlOf(host, bound),
    port: bound,
    stop: (deadlineMs = STOP_DEADLINE_MS) => stopWithin(server, deadlineMs),
    async drain() {
      leaving.begin()
      await Bun.sleep((idleTimeoutS + 1) * 1_000)
      await stopWithin(server, STOP_DEADLINE_MS)
    },
  }
}

export function urlOf(host: string, port: number): string {
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`
}

/** Puts the API on a Unix socket, for processes of this machine that may open the file. */
export function listenUnix(api: Api, path: string): Pick<Listening, "stop"> {
  const server = serve(api, { unix: path })
  return { stop: (deadlineMs = STOP_DEADLINE_MS) => stopWithin(server, deadlineMs) }
}

type Address =
  | { readonly unix: string }
  | {
      readonly hostname: string
      readonly port: number
      readonly idleTimeout: number
      readonly reusePort: boolean
    }

/** @throws {UnavailableError} */
function serve(api: Api, address: Address): Bun.Server<unknown> {
  try {
    return Bun.serve({
      ...address,
      routes: Object.fromEntries(
        Object.entries(api.direct).map(([path, handler]) => [path, { POST: handler }]),
      ),
      fetch: (request: Request) => api.handle(request),
      maxRequestBodySize: BODY_BYTES_MAX,
      development: false,
    })
  } catch (error) {
    const name = "unix" in address ? "a Unix socket" : `${address.hostname}:${address.port}`
    throw new UnavailableError(`the address ${name}`, error)
  }
}

/** The same API, whose answers close their connections once `begin` was called. */
function leaveTaking(api: Api): { readonly api: Api; begin(): void } {
  let isLeaving = false
  const wrapped = (handle: (request: Request) => Response | Promise<Response>) => {
    return (request: Request) => (isLeaving ? lastAnswer(handle(request)) : handle(request))
  }
  const direct = Object.entries(api.direct).map(([path, handle]) => [path, wrapped(handle)])
  return {
    api: { handle: wrapped(api.handle), direct: Object.fromEntries(direct) },
    begin: () => {
      isLeaving = true
    },
  }
}

async function lastAnswer(answer: Response | Promise<Response>): Promise<Response> {
  const response = await answer
  response.headers.set("connection", "close")
  return response
}

async function stopWithin(server: Bun.Server<unknown>, deadlineMs: number): Promise<void> {
  await withDeadline(deadlineMs, server.stop(false), () => undefined)
  // Not awaited: it stays pending while a handler does, which is what the deadline is against.
  void server.stop(true)
}
