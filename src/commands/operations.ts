import { openOfflineOperations } from "../compose/offline-operations.ts"
import { type Config, readConfig } from "../config.ts"
import { SentinelError, UnavailableError } from "../errors.ts"
import type { Logger } from "../log.ts"
import { findServer } from "../store/data-directory.ts"
import { terminalLog } from "./log.ts"
import type { Terminal } from "./terminal.ts"

const BASE = "/api/v1/sentinel"
/** Some decisions are answered once an outside system has been asked that may be silent. */
const TIMEOUT_MS = 60_000
const ANSWER_BYTES_MAX = 512 * 1_048_576

/** The operating endpoints of the running server, or of the data directory when it is down. */
export interface Operations {
  /** True where a server answers. */
  readonly isRunning: boolean
  /** @param path below the API's base @throws RefusedError, UnavailableError */
  get(path: string): Promise<unknown>
  post(path: string, body: object): Promise<unknown>
  close(): Promise<void>
}

/** The server understood and said no; code and message are its own. */
export class RefusedError extends SentinelError {
  readonly code: string
  constructor(code: string, message: string) {
    super(message, { retryable: false })
    this.code = code
  }
}

/** @throws DataDirectoryInUseError where the directory is owned by a process without a port */
async function openOperations(config: Config, log: Logger): Promise<Operations> {
  const running = runningOperations(config)
  if (running !== undefined) return running
  const offline = await openOfflineOperations(config, log)
  const ask = async (request: Request) => offline.handle(request)
  return { isRunning: false, ...client("http://127.0.0.1", ask), close: () => offline.close() }
}

/** Runs a command over them, with the configuration of the terminal's environment. */
export async function withOperations(
  terminal: Terminal,
  run: (operations: Operations) => Promise<number>,
): Promise<number> {
  const operations = await openOperations(readConfig(terminal.env), terminalLog(terminal))
  try {
    return await run(operations)
  } finally {
    await operations.close()
  }
}

/** Undefined where no server runs on the data directory. */
export function runningOperations(config: Config): Operations | undefined {
  const server = findServer(config.dataDir)
  if (server === undefined) return undefined
  const ask = (request: Request) => {
    if (config.apiToken !== undefined) {
      request.headers.set("authorization", `Bearer ${config.apiToken}`)
    }
    return fetch(request, { redirect: "error" })
  }
  const close = () => Promise.resolve()
  return { isRunning: true, ...client(originOf(server), ask), close }
}

/** A server that listens on every address is asked over loopback. */
function originOf({ host, port }: { host: string; port: number }): string {
  if (host === "0.0.0.0") return `http://127.0.0.1:${port}`
  if (host === "::") return `http://[::1]:${port}`
  return `http://${host.includes(":") ? `[${host}]` : host}:${port}`
}

function client(origin: string, ask: (request: Request) => Promise<Response>) {
  const send = async (path: string, init: RequestInit): Promise<unknown> => {
    const signal = AbortSignal.timeout(TIMEOUT_MS)
    const request = new Request(`${origin}${BASE}${path}`, { ...init, signal })
    const response = await ask(request).catch((cause) => {
      throw new UnavailableError("the server", cause)
    })
    return readAnswer(response)
  }
  return {
    get: (path: string) => send(path, {}),
    post: (path: string, body: object) =>
      send(path, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      }),
  }
}

async function readAnswer(response: Response): Promise<unknown> {
  if (Number(response.headers.get("content-length") ?? 0) > ANSWER_BYTES_MAX) {
    throw new UnavailableError("the server")
  }
  const answer: unknown = await response.json().catch((cause) => {
    throw new UnavailableError("the server", cause)
  })
  if (response.ok) return answer
  const { code, message } = (answer as { error: { code: string; message: string } }).error
  throw new RefusedError(code, message)
}
