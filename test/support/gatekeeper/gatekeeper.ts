import { join } from "node:path"
import type { RawRequest } from "../../../src/rules/sendings.ts"

export interface Faults {
  readonly status?: number
  readonly delay_seconds?: number
  readonly forget?: boolean
}

/** A Gatekeeper in a process of its own, in Python, because its rules are Python's `re`. */
export interface TestGatekeeper extends AsyncDisposable {
  readonly url: string
  readonly token: string
  readonly port: number
  inspect(request: Partial<RawRequest>): Promise<{ action: string; reason: string }>
  fail(faults: Faults): Promise<void>
  /** Ids in the order in which rules were created, repetitions included. */
  created(): Promise<readonly string[]>
}

const TOKEN = "gatekeeper-test-token"

/** @param port an earlier one's, to come back after it was down; default any free one */
export async function startGatekeeper(port = 0): Promise<TestGatekeeper> {
  const program = join(import.meta.dir, "server.py")
  const server = Bun.spawn(["python3", program, TOKEN, String(port)], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "inherit",
  })
  const bound = await firstLine(server.stdout)
  const url = `http://127.0.0.1:${bound}`
  return {
    url,
    token: TOKEN,
    port: Number(bound),
    inspect: (request) => post(`${url}/api/v1/inspect`, request),
    fail: (faults) => post(`${url}/faults`, faults),
    created: async () => (await (await fetch(`${url}/created`)).json()) as readonly string[],
    async [Symbol.asyncDispose]() {
      server.kill()
      await server.exited
    },
  }
}

async function post<Answer>(url: string, body: object): Promise<Answer> {
  const response = await fetch(url, { method: "POST", body: JSON.stringify(body) })
  if (!response.ok) throw new Error(`the test's Gatekeeper answered ${response.status}`)
  return (await response.json()) as Answer
}

async function firstLine(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder()
  let text = ""
  for await (const chunk of stream) {
    text += decoder.decode(chunk, { stream: true })
    if (text.includes("\n")) break
  }
  return text.split("\n")[0] ?? ""
}
