import { createHash, timingSafeEqual } from "node:crypto"
import { ConfigInvalidError } from "../errors.ts"
import { HttpError } from "./http-error.ts"

/** Who may call: a token for what changes something, and loopback alone where there is no token. */

export interface GuardOptions {
  /** The address that the server binds to. */
  readonly host: string
  readonly apiToken: string | undefined
}

const LOOPBACK = /^(?:localhost|127(?:\.(?:0|[1-9]\d{0,2})){3}|\[?::1\]?)$/i
const HOST_CHARACTERS_MAX = 300

/** True for the names and addresses that only this machine can reach. */
export function isLoopback(host: string): boolean {
  return host.length <= HOST_CHARACTERS_MAX && LOOPBACK.test(host)
}

/** @throws {ConfigInvalidError} for an address beyond loopback without a token */
export function checkBinding(options: GuardOptions): void {
  if (isLoopback(options.host) || options.apiToken !== undefined) return
  throw new ConfigInvalidError([
    "SENTINEL_API_TOKEN: needed when SENTINEL_HOST is not a loopback address",
  ])
}

/**
 * Refuses what a web page in the browser of this machine's user could send: a name that was rebound
 * to loopback, or a request of another origin. Without it, loopback protects nothing.
 *
 * @throws {HttpError} FOREIGN_HOST, FOREIGN_ORIGIN
 */
export function createRebindingGuard(options: GuardOptions): (request: Request) => void {
  const isLocal = options.apiToken === undefined && isLoopback(options.host)
  let trustedHost: string | undefined
  return (request) => {
    const host = request.headers.get("host") ?? URL.parse(request.url)?.host
    // HTTP/1.0 may leave it out: such a request has no URL, and nobody could route it.
    if (host === undefined) throw new HttpError("FOREIGN_HOST")
    if (!isLocal) return
    // One client sends one name again and again: it is examined once.
    if (host !== trustedHost && !isLoopback(host.replace(/:\d{1,5}$/, ""))) {
      throw new HttpError("FOREIGN_HOST")
    }
    trustedHost = host
    const origin = request.headers.get("origin")
    if (origin === null) return
    const own = [`http://${host}`, `https://${host}`]
    if (!own.includes(origin)) throw new HttpError("FOREIGN_ORIGIN")
  }
}

/**
 * Checks `Authorization: Bearer <token>` in constant time.
 * @throws {HttpError} UNAUTHORIZED
 */
export function createTokenGuard(apiToken: string | undefined): (request: Request) => void {
  if (apiToken === undefined) return () => {}
  const expected = digest(apiToken)
  return (request) => {
    const given = /^Bearer ([^\s]+)$/i.exec(request.headers.get("authorization") ?? "")?.[1]
    // Digests are of equal length, whatever was given: the comparison tells nothing of the token.
    if (!timingSafeEqual(digest(given ?? ""), expected)) throw new HttpError("UNAUTHORIZED")
  }
}

function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest()
}
