import { join } from "node:path"
import { systemClock } from "../clock.ts"
import { readConfig } from "../config.ts"
import { jsonLine } from "../json-line.ts"
import { type AuditVerification, verifyAudit } from "../sandbox/audit-verify.ts"
import { readAuditHead } from "../store/audit-head.ts"
import { dataDirectoryPaths } from "../store/data-directory.ts"
import type { Terminal } from "./terminal.ts"

export interface AuditVerifyOptions {
  /** First 13 to 64 hex digits of a hash that was the head once. */
  readonly head?: string
  readonly json?: boolean
}

/**
 * Verifies the audit log of the sandbox, beside a running server or without one; changes nothing.
 * @returns 1 where a line is broken
 */
export async function verifyAuditLog(
  options: AuditVerifyOptions,
  terminal: Terminal,
): Promise<number> {
  const paths = dataDirectoryPaths(readConfig(terminal.env).dataDir)
  const verification = await verifyAudit(paths.audit, {
    readHead: () => readAuditHead(paths.store),
    sleep: (ms) => systemClock.sleep(ms),
    ...(options.head !== undefined && { notedHash: options.head }),
  })
  const text = options.json === true ? jsonLine(documentOf(verification)) : textOf(verification)
  await terminal.write(text)
  return verification.broken === undefined ? 0 : 1
}

function documentOf({ entries, first, files, head, broken }: AuditVerification) {
  const range = { entries, first_sequence: first, files, head: head.hash }
  return { intact: broken === undefined, ...range, broken: broken ?? null }
}

function textOf({ entries, first, files, head, broken }: AuditVerification): string {
  if (broken !== undefined) {
    const { file, line, sequence, problem } = broken
    const place = `${join("audit", file)}:${line} (sequence ${sequence})`
    return `BROKEN at ${place}: ${problem}\nThe ${entries} entries before it are intact.\n`
  }
  if (entries === 0) return "The audit log has no entries.\n"
  const dropped = first > 1 ? `The first ${first - 1} were dropped, as it says itself.\n` : ""
  return `The audit log is intact: ${entries} entries in ${files} file(s), head ${head.hash}\n${dropped}`
}
