import { isPanickedOffline, panicOffline, resumeOffline } from "../compose/offline-sandbox.ts"
import { type Config, readConfig } from "../config.ts"
import { publicError, SentinelError } from "../errors.ts"
import { jsonLine } from "../json-line.ts"
import type { PanicReport } from "../ports/sandbox.ts"
import { terminalLog } from "./log.ts"
import { runningOperations } from "./operations.ts"
import { printable } from "./printable.ts"
import { renderTable } from "./table.ts"
import type { Terminal } from "./terminal.ts"

/** The sandbox as the API writes it. */
export interface StatusDocument {
  readonly driver: string
  readonly runtime: string | null
  readonly image_digest: string | null
  readonly notes: readonly string[]
  readonly panicked: boolean
  readonly pool: Readonly<Record<string, { ready: number; busy: number; replaced: number }>>
}

/**
 * Destroys everything in the sandbox at once, over the server or, where none answers, without it.
 * @returns 1 where something is left, if only the audit log without its entry
 */
export async function panicSandbox(
  { reason, json }: { reason: string; json?: boolean },
  terminal: Terminal,
): Promise<number> {
  const config = readConfig(terminal.env)
  const report =
    (await panicOverServer(config, reason, terminal)) ??
    (await panicOffline(config, terminalLog(terminal), reason))
  if (json === true) await terminal.write(jsonLine(report))
  else {
    const lines = report.left.map((what) => `left: ${printable(what)}\n`)
    const done = report.isClean ? "the sandbox is empty" : "NOT EVERYTHING IS DESTROYED"
    const next = "nothing runs until: ./sentinel sandbox resume"
    await terminal.write(`${report.destroyed} destroyed; ${done}\n${lines.join("")}${next}\n`)
  }
  return report.left.length === 0 && report.isClean ? 0 : 1
}

/** Undefined where no server runs, or it does not answer, or has no sandbox. */
async function panicOverServer(
  config: Config,
  reason: string,
  terminal: Terminal,
): Promise<PanicReport | undefined> {
  try {
    const answer = await runningOperations(config)?.post("/sandbox/panic", { reason })
    if (answer === undefined) return undefined
    const { status, destroyed, left } = answer as {
      status: string
      destroyed: number
      left: readonly string[]
    }
    return { isClean: status === "panicked", destroyed, left }
  } catch (error) {
    if (!(error instanceof SentinelError)) throw error
    terminal.note(`the server could not do it (${publicError(error).message}): doing it here\n`)
    return undefined
  }
}

/** Lets the sandbox run again after a panic. */
export async function resumeSandbox(terminal: Terminal): Promise<number> {
  const config = readConfig(terminal.env)
  const running = runningOperations(config)
  if (running === undefined) await resumeOffline(config, terminalLog(terminal))
  else await running.post("/sandbox/resume", {})
  await terminal.write("payloads are simulated again\n")
  return 0
}

/** Prints driver, pool and panic; without a server only whether a panic is on. */
export async function showSandbox(
  options: { json?: boolean },
  terminal: Terminal,
): Promise<number> {
  const config = readConfig(terminal.env)
  const running = runningOperations(config)
  if (running === undefined) {
    const panicked = isPanickedOffline(config)
    const text = `no server runs; ${panicked ? "shut down by a panic" : "no panic is on"}\n`
    await terminal.write(options.json === true ? jsonLine({ running: false, panicked }) : text)
    return 0
  }
  const status = (await running.get("/sandbox")) as StatusDocument
  await terminal.write(options.json === true ? jsonLine(status) : statusText(status))
  return 0
}

function statusText({ driver, runtime, image_digest, notes, panicked, pool }: StatusDocument) {
  const rows = [
    ["driver", runtime === null ? driver : `${driver} (${runtime})`],
    ["image", image_digest ?? "-"],
    ["panic", panicked ? "ON: nothing runs until ./sentinel sandbox resume" : "off"],
    ...notes.map((note) => ["note", printable(note)]),
  ]
  const header = ["class", "ready", "busy", "replaced"]
  const hosts = Object.entries(pool).map(([name, { ready, busy, replaced }]) => {
    return [name, ...[ready, busy, replaced].map(String)]
  })
  const table = hosts.length === 0 ? "" : `\n${renderTable([header, ...hosts])}`
  return `${renderTable(rows)}${table}`
}
