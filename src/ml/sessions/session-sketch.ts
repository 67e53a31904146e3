import type {
  PayloadKind,
  Session,
  SessionContext,
  SessionPayload,
  SessionRequest,
} from "../../events.ts"
import type { Random } from "../random.ts"

type Headers = Readonly<Record<string, string>>
type Fields = Readonly<Record<string, string | number>>

export interface SketchedRequest {
  readonly path: string
  /** Default GET, or POST where `form` or `json` is given. */
  readonly method?: string
  /** Raw values: the sketch encodes them. */
  readonly query?: Fields
  readonly form?: Fields
  readonly json?: Fields
  readonly headers?: Headers
  readonly userAgent?: string
  /** Default 200. */
  readonly status?: number
  readonly responseBytes?: number
  /** Milliseconds since the request before. */
  readonly gapMs: number
}

interface Client {
  readonly userAgent: string
  readonly headers: Headers
  readonly context?: Partial<SessionContext>
}

/** 2026-01-05T00:00:00Z, a Monday: generated sessions start in the twelve weeks after it. */
const EPOCH_MS = 1_767_571_200_000
const TWELVE_WEEKS_MS = 84 * 86_400_000

/** Draws a session request by request, with the payloads that evidence mining would find. */
export class SessionSketch {
  readonly random: Random
  readonly #client: Client
  readonly #sessionId: string
  readonly #requests: SessionRequest[] = []
  readonly #payloads: SessionPayload[] = []
  #nowMs: number
  readonly #latencyMs: number

  constructor(random: Random, client: Client) {
    this.random = random
    this.#client = client
    this.#sessionId = `session-${random.hex(16)}`
    this.#nowMs = EPOCH_MS + Math.floor(random.next() * TWELVE_WEEKS_MS)
    this.#latencyMs = random.around(60, 0.8)
  }

  add(request: SketchedRequest): this {
    this.#nowMs += Math.max(0, Math.round(request.gapMs))
    const index = this.#requests.length
    const query = encodeFields(request.query)
    const method = request.method ?? (request.form || request.json ? "POST" : "GET")
    const userAgent = request.userAgent ?? this.#client.userAgent
    this.#requests.push({
      index,
      startedMs: this.#nowMs,
      timeMs: Math.round(this.random.around(this.#latencyMs, 0.4)),
      method,
      url: query === "" ? request.path : `${request.path}?${query}`,
      path: request.path,
      query,
      headers: headerList(userAgent, { ...this.#client.headers, ...request.headers }),
      userAgent,
      body: bodyOf(request),
      status: request.status ?? 200,
      responseBytes: Math.round(request.responseBytes ?? this.random.around(6_000, 1.2)),
    })
    this.#minePayloads(request, index)
    return this
  }

  finish(): Session {
    return {
      sessionId: this.#sessionId,
      requests: this.#requests,
      payloads: this.#payloads,
      context: { ...NO_CONTEXT, ...this.#client.context },
      truncated: false,
    }
  }

  #minePayloads(request: SketchedRequest, index: number): void {
    this.#mineFields("query", "param", encodedEntries(request.query), index)
    this.#mineFields("form", "param", encodedEntries(request.form), index)
    this.#mineFields("json:$", "body", Object.entries(request.json ?? {}), index)
    const segments = request.path.split("/").filter((segment) => segment !== "")
    const entries = segments.map((segment, i): [string, string] => [`${i}`, segment])
    this.#mineFields("path", "path", entries, index)
  }

  #mineFields(
    place: string,
    kind: PayloadKind,
    entries: readonly (readonly [string, string | number])[],
    requestIndex: number,
  ): void {
    const separator = place.startsWith("json") ? "." : ":"
    for (const [name, value] of entries) {
      const location = `${place}${separator}${name}`
      const id = `p${this.#payloads.length}`
      const text = `${value}`
      this.#payloads.push({ id, text, kind, location, origin: "har", requestIndex })
    }
  }
}

const NO_CONTEXT: SessionContext = { tags: [], isTor: false, isVpn: false, priorPoiCount: 0 }

function encodedEntries(fields: Fields | undefined): [string, string][] {
  return Object.entries(fields ?? {}).map(([name, value]) => [name, encodeURIComponent(value)])
}

function encodeFields(fields: Fields | undefined): string {
  return encodedEntries(fields)
    .map((pair) => pair.join("="))
    .join("&")
}

function bodyOf(request: SketchedRequest): string {
  if (request.json !== undefined) return JSON.stringify(request.json)
  return encodeFields(request.form)
}

function headerList(userAgent: string, headers: Headers): { name: string; value: string }[] {
  const list = userAgent === "" ? [] : [{ name: "user-agent", value: userAgent }]
  for (const [name, value] of Object.entries(headers)) list.push({ name, value })
  return list
}
