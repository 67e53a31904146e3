import { createHmac } from "node:crypto"
import type { AlertDelivery, AlertTarget } from "../alert.ts"
import type { Clock } from "../ports.ts"

export interface WebhookOptions {
  readonly url: string
  /** `whsec_` and base64, or other text; each makes a signature of its own. At least one. */
  readonly secrets: readonly string[]
  readonly clock: Pick<Clock, "nowMs">
  /** The end of any try; default 10,000. */
  readonly timeoutMs?: number
}

const TIMEOUT_MS = 10_000
const RETRY_AFTER_MAX_S = 3_600
/** About this alert, not about the set-up: no later try will go better. */
const REFUSING: ReadonlySet<number> = new Set([400, 409, 413, 415, 422])

/**
 * Posts alerts, signed as Standard Webhooks asks: `webhook-id`, `webhook-timestamp` (Unix seconds of
 * the try) and `webhook-signature`: `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`.
 *
 * One URL and no other: a redirect is no delivery. Nothing of an answer is read but its status.
 * @see https://www.standardwebhooks.com
 */
export function webhook(options: WebhookOptions): AlertTarget {
  const { url, secrets, clock, timeoutMs = TIMEOUT_MS } = options
  return {
    name: "webhook",
    async deliver(alert, signal) {
      const body = JSON.stringify(alert)
      const timestamp = Math.floor(clock.nowMs() / 1_000)
      const headers = {
        "content-type": "application/json",
        "user-agent": "sentinel",
        "webhook-id": alert.event_id,
        "webhook-timestamp": String(timestamp),
        "webhook-signature": webhookSignature({ id: alert.event_id, timestamp, body }, secrets),
      }
      const limit = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
      try {
        const request = {
          method: "POST",
          body,
          headers,
          redirect: "manual",
          signal: limit,
        } as const
        return outcomeOf(await fetch(url, request))
      } catch {
        signal.throwIfAborted()
        return { outcome: "retry", code: limit.aborted ? "TIMEOUT" : "UNREACHABLE" }
      }
    },
    close: () => Promise.resolve(),
  }
}

interface SignedMessage {
  readonly id: string
  /** Unix seconds. */
  readonly timestamp: number
  readonly body: string
}

/** One signature for each secret, separated by spaces. */
export function webhookSignature(message: SignedMessage, secrets: readonly string[]): string {
  const signed = `${message.id}.${message.timestamp}.${message.body}`
  const sign = (secret: string) => createHmac("sha256", keyOf(secret)).update(signed)
  return secrets.map((secret) => `v1,${sign(secret).digest("base64")}`).join(" ")
}

/** HMAC key of a secret: the bytes behind `whsec_`, or the text itself. */
function keyOf(secret: string): Buffer {
  const encoded = /^whsec_(.*)$/.exec(secret)?.[1]
  return encoded === undefined ? Buffer.from(secret) : Buffer.from(encoded, "base64")
}

function outcomeOf(response: Response): AlertDelivery {
  // an answer of any length may come; nobody waits for it
  void response.body?.cancel().catch(() => undefined)
  const { status } = response
  if (response.ok) return { outcome: "delivered" }
  const code = `HTTP_${status}`
  if (REFUSING.has(status)) return { outcome: "refused", code }
  const seconds = Number(response.headers.get("retry-after") ?? Number.NaN)
  if (!(seconds > 0)) return { outcome: "retry", code }
  return { outcome: "retry", code, afterMs: Math.min(seconds, RETRY_AFTER_MAX_S) * 1_000 }
}
