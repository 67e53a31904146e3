import type { Config } from "../config.ts"
import { DataDirectoryInUseError } from "../errors.ts"
import type { Logger } from "../log.ts"
import type { AuditLog, PanicReport } from "../ports/sandbox.ts"
import { panicInstance } from "../sandbox/destroy-instance.ts"
import { openPanicState } from "../sandbox/panic-state.ts"
import {
  type DataDirectoryPaths,
  dataDirectoryPaths,
  ownDataDirectory,
} from "../store/data-directory.ts"
import { openSandboxAudit } from "./audit-log.ts"

/** The sandbox of a data directory whose server is down, or does not answer. */

/**
 * Destroys first and writes it down then: what cannot be logged is destroyed all the same, and the
 * report says so.
 */
export async function panicOffline(
  { dataDir }: Pick<Config, "dataDir">,
  log: Logger,
  reason: string,
): Promise<PanicReport> {
  const report = await panicInstance(dataDirectoryPaths(dataDir).sandbox, reason)
  const data = { reason: reason.slice(0, 500), ...report }
  const problem = await withAudit(dataDir, log, (audit) => audit.append("panic", data)).then(
    () => undefined,
    (error) =>
      error instanceof DataDirectoryInUseError
        ? "the audit log has no entry of it: a server that does not answer owns it"
        : "the audit log could not be written",
  )
  return problem === undefined ? report : { ...report, left: [...report.left, problem] }
}

/** @throws DataDirectoryInUseError, UnavailableError where the audit log cannot be written */
export async function resumeOffline(
  { dataDir }: Pick<Config, "dataDir">,
  log: Logger,
): Promise<void> {
  await withAudit(dataDir, log, async (audit, paths) => {
    await audit.append("resume", {})
    openPanicState(paths.sandbox).clear()
  })
}

export function isPanickedOffline({ dataDir }: Pick<Config, "dataDir">): boolean {
  return openPanicState(dataDirectoryPaths(dataDir).sandbox).isOn()
}

async function withAudit(
  dataDir: string,
  log: Logger,
  work: (audit: AuditLog, paths: DataDirectoryPaths) => Promise<unknown>,
): Promise<void> {
  await using stack = new AsyncDisposableStack()
  const data = ownDataDirectory(dataDir)
  stack.defer(() => data.release())
  const audit = await openSandboxAudit({ paths: data.paths, log }, stack)
  await work(audit, data.paths)
}
