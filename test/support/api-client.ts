import { expect } from "bun:test"
import { createApi } from "../../src/api/app.ts"
import type { ApiParts } from "../../src/api/parts.ts"
import { memoryParts } from "./api-parts.ts"

interface Sent {
  readonly method?: string
  readonly body?: string | Uint8Array | ReadableStream
  readonly headers?: Record<string, string>
}

/** An API over ports in memory, with a client that reads what it answers. */
export function start(changed: Partial<ApiParts> = {}) {
  const { parts, seen } = memoryParts(changed)
  const api = createApi(parts)
  async function send(path: string, sent: Sent = {}) {
    const method = sent.method ?? (sent.body === undefined ? "GET" : "POST")
    const response = await api.handle(
      new Request(`http://127.0.0.1:8003${path}`, {
        method,
        headers: { ...(sent.body !== undefined && JSON_TYPE), ...sent.headers },
        ...(sent.body !== undefined && { body: sent.body as BodyInit }),
      }),
    )
    const text = await response.text()
    const json = text.startsWith("{") ? JSON.parse(text) : undefined
    return { status: response.status, headers: response.headers, text, json }
  }
  const post = (path: string, value: unknown, headers: Record<string, string> = {}) =>
    send(path, { body: JSON.stringify(value), headers })
  return { send, post, seen, parts }
}

export const JSON_TYPE = { "content-type": "application/json" }

/** What every error must be: our shape, the id of the response, and nothing of the input. */
export function expectError(
  answer: { status: number; json: unknown; headers: Headers },
  [status, code, field]: readonly [number, string, string?],
): void {
  const id = answer.headers.get("x-request-id")
  const error = { code, message: expect.any(String), ...(field !== undefined && { field }) }
  expect({ status: answer.status, json: answer.json }).toEqual({
    status,
    json: { error, request_id: id },
  })
  expect(id).toMatch(/^[0-9a-f-]{36}$/)
}
