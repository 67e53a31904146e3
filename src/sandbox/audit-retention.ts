import type { AuditHead } from "../ports/sandbox.ts"
import { EMPTY_HEAD, headBefore, parseEntry } from "./audit-entry.ts"
import { type AuditFile, fileNumber, linesOf, openFiles } from "./audit-files.ts"

/** Of an entry that says up to where the log was dropped: its data is the head of that part. */
export const DROPPED = "audit_dropped"

/**
 * The head before the first entry of a file that was set aside; undefined where it begins with none.
 * @throws FileUnreadableError
 */
export function headBeforeFile(directory: string, name: string): Promise<AuditHead | undefined> {
  return firstHead(openFiles(directory, { since: fileNumber(name) }))
}

/**
 * Where the log begins: at its first entry, or after the part that it says was dropped. One that
 * begins later and does not say so is no beginning.
 * @throws FileUnreadableError
 */
export async function beginningOf(directory: string): Promise<AuditHead> {
  const claimed = await firstHead(openFiles(directory))
  if (claimed === undefined || claimed.count === 0) return EMPTY_HEAD
  for await (const file of openFiles(directory, { newestFirst: true })) {
    for await (const { bytes } of linesOf(file)) {
      const { count, hash } = droppedHead(bytes) ?? EMPTY_HEAD
      if (count === claimed.count && hash === claimed.hash) return claimed
    }
  }
  return EMPTY_HEAD
}

/** The head before the first line of the first file. */
async function firstHead(files: AsyncIterable<AuditFile>): Promise<AuditHead | undefined> {
  for await (const file of files) {
    const first = await linesOf(file).next()
    return first.done === true ? undefined : headBefore(first.value.bytes)
  }
  return undefined
}

function droppedHead(line: Buffer): AuditHead | undefined {
  const entry = line.includes(DROPPED) ? parseEntry(line) : undefined
  if (entry?.event_type !== DROPPED) return undefined
  const { count, hash } = entry.data
  return typeof count === "number" && typeof hash === "string" ? { count, hash } : undefined
}
