import { systemClock } from "../clock.ts"
import { checkSandboxDriver } from "../compose/sandbox-check.ts"
import type { Config } from "../config.ts"
import { publicError, SandboxPanickedError } from "../errors.ts"
import { verifyAudit } from "../sandbox/audit-verify.ts"
import { readAuditHead } from "../store/audit-head.ts"
import { dataDirectoryPaths } from "../store/data-directory.ts"
import type { Finding } from "./finding.ts"
import { type Operations, RefusedError, runningOperations } from "./operations.ts"
import { printable } from "./printable.ts"
import type { StatusDocument } from "./sandbox-control.ts"
import { within } from "./within.ts"

const SUBJECT = "sandbox"
const REACH_TIMEOUT_MS = 5_000
const RESUME = "./sentinel sandbox resume"

/**
 * What payloads run in: of the running server where there is one, else of this machine. Without a
 * sandbox everything but the simulation works: that is broken only where it was asked for.
 */
export async function checkSandbox(config: Config): Promise<Finding> {
  const machine = await checkMachine(config)
  const running = runningOperations(config)
  return running === undefined || machine.state !== "ok" ? machine : askServer(running, machine)
}

async function checkMachine(config: Config): Promise<Finding> {
  try {
    const driver = await within(REACH_TIMEOUT_MS, checkSandboxDriver(config))
    const detail = `payloads run in ${driver}`
    if (driver !== undefined) return { state: "ok", subject: SUBJECT, detail }
    return { state: "off", subject: SUBJECT, detail: "SENTINEL_SANDBOX is none" }
  } catch (error) {
    const detail = publicError(error).message
    if (error instanceof SandboxPanickedError) {
      return { state: "FAILED", subject: SUBJECT, detail, remedy: RESUME }
    }
    const state = config.sandbox.mode === "auto" ? "off" : "FAILED"
    const remedy = "install bubblewrap, or set DOCKER_HOST to a Docker that answers"
    return { state, subject: SUBJECT, detail, remedy }
  }
}

/** The machine has a driver: a server without one is broken, or has not looked to the end yet. */
async function askServer(running: Operations, machine: Finding): Promise<Finding> {
  try {
    const answer = await within(REACH_TIMEOUT_MS, running.get("/sandbox"))
    const { driver, notes } = answer as StatusDocument
    if (driver !== "none") return { ...machine, detail: `the server's payloads run in ${driver}` }
    // at its start it answers before it has looked
    if (notes.join() === "it is being prepared") {
      return { state: "off", subject: SUBJECT, detail: "the server is preparing it" }
    }
    const detail = `the server has none: ${printable(notes.join("; "))}`
    const remedy = "./sentinel sandbox status tells why; it is looked for again every 30 s"
    return { state: "FAILED", subject: SUBJECT, detail, remedy }
  } catch (error) {
    if (error instanceof RefusedError && error.code === "UNAVAILABLE") {
      return { state: "off", subject: SUBJECT, detail: "the server runs the API alone" }
    }
    const detail = `the server does not tell: ${printable(publicError(error).message)}`
    return { state: "FAILED", subject: SUBJECT, detail, remedy: "./sentinel sandbox status" }
  }
}

/** Reads it as `audit verify` does; a log too long for that is left to it. */
export async function checkAuditLog({ dataDir }: Pick<Config, "dataDir">): Promise<Finding> {
  const subject = "audit log"
  const paths = dataDirectoryPaths(dataDir)
  const witness = {
    readHead: () => readAuditHead(paths.store),
    sleep: (ms: number) => systemClock.sleep(ms),
  }
  const remedy = "./sentinel audit verify; what to do: docs/OPERATIONS.md, The audit log"
  try {
    const read = await within(REACH_TIMEOUT_MS, verifyAudit(paths.audit, witness))
    if (read.broken === undefined) {
      return { state: "ok", subject, detail: `intact, ${read.entries} entries` }
    }
    const { file, line, problem } = read.broken
    return { state: "FAILED", subject, detail: `broken at ${file}:${line}: ${problem}`, remedy }
  } catch (error) {
    const detail = `not read to its end: ${publicError(error).message}`
    return { state: "FAILED", subject, detail, remedy }
  }
}
