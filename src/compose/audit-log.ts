import { systemClock } from "../clock.ts"
import { publicError } from "../errors.ts"
import type { Logger } from "../log.ts"
import type { AuditLog } from "../ports/sandbox.ts"
import { openAuditLog, refusingAuditLog } from "../sandbox/audit-log.ts"
import { openAuditHead } from "../store/audit-head.ts"
import type { DataDirectoryPaths } from "../store/data-directory.ts"

export interface AuditParts {
  readonly paths: Pick<DataDirectoryPaths, "audit" | "store">
  readonly log: Logger
}

/**
 * The audit log of the data directory, which this process owns. One that was tampered with stops the
 * sandbox, not Sentinel: it refuses every entry, and what cannot be recorded is not run.
 */
export async function openSandboxAudit(
  { paths, log }: AuditParts,
  stack: AsyncDisposableStack,
): Promise<AuditLog> {
  const heads = openAuditHead(paths.store)
  stack.defer(() => heads.close())
  const options = { directory: paths.audit, heads, clock: systemClock }
  const audit = await openAuditLog(options).catch((error) => {
    const { code, message: problem } = publicError(error)
    log.error("the audit log cannot be opened: nothing is simulated", { code, problem })
    return refusingAuditLog(paths.audit, error)
  })
  stack.defer(() => audit.close())
  return audit
}

/** The same, opened by its first entry: most who open the directory of a server that is down record nothing. */
export function auditOnDemand(
  parts: AuditParts,
  stack: AsyncDisposableStack,
): Pick<AuditLog, "append"> {
  const opening = new AsyncDisposableStack()
  let opened: Promise<AuditLog> | undefined
  let last: Promise<unknown> = Promise.resolve()
  stack.defer(async () => {
    await last.catch(() => undefined)
    await opening.disposeAsync()
  })
  return {
    append(eventType, data) {
      opened ??= openSandboxAudit(parts, opening)
      const appended = opened.then((audit) => audit.append(eventType, data))
      last = appended
      return appended
    },
  }
}
