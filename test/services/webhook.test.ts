import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { createHmac } from "node:crypto"
import { webhook, webhookSignature } from "../../src/services/webhook.ts"
import { someAlert } from "../support/alerts.ts"
import { startReceiver, type WebhookReceiver } from "../support/webhook-receiver.ts"

const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5, 678)
const never = new AbortController().signal
const status = (code: number, headers: Record<string, string> = {}) =>
  new Response(null, { status: code, headers })

let receiver: WebhookReceiver
beforeEach(() => {
  receiver = startReceiver()
})
afterEach(() => receiver[Symbol.asyncDispose]())

interface DeliverOptions {
  readonly secrets?: readonly string[]
  readonly url?: string
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
}

function deliver(options: DeliverOptions = {}) {
  const { secrets = ["a-secret-of-some-length"], url = receiver.url, signal = never } = options
  const { timeoutMs = 10_000 } = options
  const target = webhook({ url, secrets, clock: { nowMs: () => NOW_MS }, timeoutMs })
  return target.deliver(someAlert(), signal)
}

describe("webhook", () => {
  test("webhook signs id, time of the try and body with each secret", async () => {
    await deliver({ secrets: ["the-secret-from-now-on", "the-secret-before-it"] })
    const { headers = {}, body = "" } = receiver.accepted[0] ?? {}
    const id = someAlert().event_id
    const time = String(Math.floor(NOW_MS / 1_000))
    expect(headers).toMatchObject({ "webhook-id": id, "webhook-timestamp": time })
    const sign = (secret: string) =>
      `v1,${createHmac("sha256", secret).update(`${id}.${time}.${body}`).digest("base64")}`
    const both = [sign("the-secret-from-now-on"), sign("the-secret-before-it")]
    expect(headers["webhook-signature"]).toBe(both.join(" "))
    expect(JSON.parse(body)).toEqual(someAlert())
  })

  // The vector that the specification's own libraries are tested with.
  test("webhookSignature is that of Standard Webhooks", () => {
    const id = "msg_p5jXN8AQM9LWM0D4loKWxJek"
    const message = { id, timestamp: 1_614_265_330, body: '{"test": 2432232314}' }
    const signature = webhookSignature(message, ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
    expect(signature).toBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
  })

  test.each([
    [200, { outcome: "delivered" }],
    [302, { outcome: "retry", code: "HTTP_302" }],
    [400, { outcome: "refused", code: "HTTP_400" }],
    [401, { outcome: "retry", code: "HTTP_401" }],
    [404, { outcome: "retry", code: "HTTP_404" }],
    [500, { outcome: "retry", code: "HTTP_500" }],
  ] as const)("webhook takes the status %d for %j", async (code, expected) => {
    receiver.answer = () => status(code)
    expect(await deliver()).toEqual(expected)
  })

  test("webhook follows no redirect", async () => {
    await using elsewhere = startReceiver()
    receiver.answer = () => status(307, { location: elsewhere.url })
    expect(await deliver()).toMatchObject({ outcome: "retry" })
    expect(elsewhere.asked).toBe(0)
  })

  test.each([
    ["120", 120_000],
    ["999999", 3_600_000],
    ["-1", undefined],
    ["soon", undefined],
  ])("webhook waits as long as Retry-After %j says, an hour at most", async (text, afterMs) => {
    receiver.answer = () => status(429, { "retry-after": text })
    const answer = await deliver()
    expect("afterMs" in answer ? answer.afterMs : undefined).toBe(afterMs)
  })

  test("webhook ends a try that takes too long, and one that nobody answers", async () => {
    const { promise: never, resolve } = Promise.withResolvers<Response>()
    receiver.answer = () => never
    expect(await deliver({ timeoutMs: 50 })).toEqual({ outcome: "retry", code: "TIMEOUT" })
    resolve(status(204))
    expect(await deliver({ url: "http://127.0.0.1:1/hook" })).toEqual({
      ...{ outcome: "retry", code: "UNREACHABLE" },
    })
  })

  test("webhook does not wait for the end of an endless answer", async () => {
    receiver.answer = () =>
      new Response(new ReadableStream({ pull: (to) => to.enqueue(Buffer.alloc(65_536)) }))
    expect(await deliver()).toEqual({ outcome: "delivered" })
  })

  test("webhook rejects when it is told to stop", async () => {
    const stopped = AbortSignal.abort(new Error("stopping"))
    await expect(deliver({ signal: stopped })).rejects.toThrow("stopping")
  })
})
