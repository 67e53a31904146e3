import { AuditLogBrokenError } from "../errors.ts"
import type { AuditEntry } from "../ports/sandbox.ts"
import { parseEntry } from "./audit-entry.ts"
import { lastLines, openFiles } from "./audit-files.ts"

/**
 * The newest entries, the newest last, read from the files' ends; the chain is not checked.
 *
 * @param limit 1..1000
 * @throws AuditLogBrokenError for a line that is no entry, FileUnreadableError
 */
export async function readTail(directory: string, limit: number): Promise<readonly AuditEntry[]> {
  const entries: AuditEntry[] = []
  for await (const file of openFiles(directory, { newestFirst: true })) {
    const lines = await lastLines(file, limit - entries.length)
    entries.unshift(...lines.map((line) => entryOf(line, file.name)))
    if (entries.length >= limit) break
  }
  return entries
}

function entryOf(line: Buffer, file: string): AuditEntry {
  const entry = parseEntry(line)
  if (entry === undefined) throw new AuditLogBrokenError(file, "a line near its end is no entry")
  return entry
}
