import { GatekeeperRefusedError, UnavailableError } from "../errors.ts"
import type { Gatekeeper } from "../ports/rules.ts"
import type { Rule } from "../rule.ts"

export interface GatekeeperOptions {
  /** e.g. `https://gatekeeper:8001`; its certificate is verified. */
  readonly url: string
  readonly token: string
  /** The end of any call; default 5,000. */
  readonly timeoutMs?: number
}

const RULES = "api/v1/gatekeeper/rules"
const RULE_ID = /^[A-Za-z0-9_-]{1,64}$/
const TIMEOUT_MS = 5_000
const ANSWER_BYTES_MAX = 16 * 1_048_576

/**
 * Speaks Gatekeeper's API (contract, section 2). One call is one request: what to try again is the
 * caller's decision. The token goes into a header and nowhere else.
 */
export function gatekeeperClient(options: GatekeeperOptions): Gatekeeper {
  const client = new Client(options)
  return {
    async list() {
      const { body } = await client.call("GET", RULES)
      const { rules } = asObject(body)
      return Array.isArray(rules) ? rules.filter(isRule) : []
    },
    async get(ruleId) {
      const { status, body } = await client.call("GET", `${RULES}/${checkedId(ruleId)}`)
      return status !== 404 && isRule(body) ? body : undefined
    },
    async create(rule) {
      checkedId(rule.rule_id)
      const { status } = await client.call("POST", RULES, JSON.stringify({ rule }))
      return status === 409 ? "exists" : "created"
    },
    async remove(ruleId) {
      const { status } = await client.call("DELETE", `${RULES}/${checkedId(ruleId)}`)
      return status === 404 ? "absent" : "removed"
    },
    async toggle(ruleId, enabled) {
      await client.call("PUT", `${RULES}/${checkedId(ruleId)}/toggle?enabled=${enabled}`)
    },
  }
}

interface Answer {
  readonly status: number
  readonly body: unknown
}

class Client {
  readonly #base: string
  readonly #token: string
  readonly #timeoutMs: number

  constructor({ url, token, timeoutMs = TIMEOUT_MS }: GatekeeperOptions) {
    this.#base = url.endsWith("/") ? url : `${url}/`
    this.#token = token
    this.#timeoutMs = timeoutMs
  }

  /** @throws UnavailableError (try again), GatekeeperRefusedError (a person must look) */
  async call(method: string, path: string, body?: string): Promise<Answer> {
    const response = await this.#send(method, path, body)
    const { status } = response
    if (status >= 500 || status === 429) throw new UnavailableError("Gatekeeper")
    const isAnswer = response.ok || status === 404 || status === 409
    if (!isAnswer) throw new GatekeeperRefusedError(status)
    return { status, body: await readBody(response) }
  }

  async #send(method: string, path: string, body: string | undefined): Promise<Response> {
    try {
      return await fetch(this.#base + path, {
        method,
        headers: { authorization: `Bearer ${this.#token}`, "content-type": "application/json" },
        // a redirect would carry the token elsewhere
        redirect: "error",
        signal: AbortSignal.timeout(this.#timeoutMs),
        ...(body !== undefined && { body }),
      })
    } catch (error) {
      throw new UnavailableError("Gatekeeper", error)
    }
  }
}

async function readBody(response: Response): Promise<unknown> {
  const chunks: Uint8Array[] = []
  let length = 0
  try {
    for await (const chunk of response.body ?? []) {
      length += chunk.length
      // leaving the loop cancels the rest
      if (length > ANSWER_BYTES_MAX) throw new UnavailableError("Gatekeeper")
      chunks.push(chunk)
    }
    return JSON.parse(Buffer.concat(chunks).toString())
  } catch (error) {
    throw new UnavailableError("Gatekeeper", error)
  }
}

/** What goes into a path must not be able to leave it. */
function checkedId(ruleId: string): string {
  if (!RULE_ID.test(ruleId)) throw new GatekeeperRefusedError(422)
  return ruleId
}

function asObject(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {}
}

/** As far as Sentinel reads it; what a rule of others holds besides is left alone, and so is its name. */
function isRule(value: unknown): value is Rule {
  const { rule_id, match } = asObject(value)
  const isNamed = typeof rule_id === "string" && RULE_ID.test(rule_id)
  return isNamed && typeof match === "object" && match !== null
}
