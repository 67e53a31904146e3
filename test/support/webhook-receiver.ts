import type { Alert } from "../../src/alert.ts"

export interface Received {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
  readonly alert: Alert
}

export interface WebhookReceiver extends AsyncDisposable {
  readonly url: string
  /** What it has answered with 2xx, in order. */
  readonly accepted: readonly Received[]
  /** Requests in all. */
  readonly asked: number
  /** How it answers from here on; the default is 204. */
  answer: () => Response | Promise<Response>
  /** Resolves as soon as so many were accepted. */
  until(accepted: number): Promise<void>
}

/** A real HTTP server that takes alerts. @param port 0 = any free one */
export function startReceiver(port = 0): WebhookReceiver {
  const accepted: Received[] = []
  const waiting = new Set<() => void>()
  let asked = 0
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port,
    async fetch(request) {
      asked += 1
      const body = await request.text()
      const response = await receiver.answer()
      if (!response.ok) return response
      accepted.push({ headers: request.headers.toJSON(), body, alert: JSON.parse(body) })
      for (const check of waiting) check()
      return response
    },
  })
  const receiver: WebhookReceiver = {
    url: `http://127.0.0.1:${server.port}/hook`,
    accepted,
    get asked() {
      return asked
    },
    answer: () => new Response(null, { status: 204 }),
    async until(count) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const check = () => {
        if (accepted.length >= count) resolve()
      }
      waiting.add(check)
      check()
      await promise
      waiting.delete(check)
    },
    [Symbol.asyncDispose]: () => server.stop(true),
  }
  return receiver
}
