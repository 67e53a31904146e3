import { stat, truncate } from "node:fs/promises"
import { join } from "node:path"
import { AuditLogBrokenError } from "../errors.ts"
import type { AuditHead } from "../ports/sandbox.ts"
import { type ChainWalk, walkChain } from "./audit-chain.ts"
import { EMPTY_HEAD, headBefore } from "./audit-entry.ts"
import {
  CURRENT_FILE,
  fileNumber,
  isMissing,
  linesOf,
  openFiles,
  setAsideFiles,
} from "./audit-files.ts"

/** Where a process goes on that opens the log. */
export interface ResumedChain {
  readonly head: AuditHead
  /** Of the current file. */
  readonly bytes: number
  /** Of the file that is set aside next. */
  readonly nextNumber: number
  /** What a crash left: entries written after the head was kept, and bytes of a cut line, now gone. */
  readonly recovered: { readonly entries: number; readonly bytes_cut: number }
}

/**
 * Checks the end of the chain, from the entry that the head was kept of, and cuts off a last line
 * that was never acknowledged because it lacks its end. The rest is for `verifyAudit`.
 *
 * @throws AuditLogBrokenError for anything that no crash leaves behind, FileUnreadableError
 */
export async function resumeChain(
  directory: string,
  keptHead: AuditHead | undefined,
): Promise<ResumedChain> {
  const kept = keptHead ?? EMPTY_HEAD
  const { start, since } = await fileOfEntry(directory, kept.count)
  const files = openFiles(directory, { since })
  const walk = await walkChain(files, start, ({ sequence, hash }) =>
    sequence === kept.count && hash !== kept.hash ? "is not the entry of its head" : undefined,
  )
  refuseBroken(walk, keptHead)
  const current = join(directory, CURRENT_FILE)
  if (walk.torn !== undefined) await truncate(current, walk.torn.offset)
  return {
    head: walk.head,
    bytes: await sizeOf(current),
    nextNumber: fileNumber((await setAsideFiles(directory)).at(-1) ?? "") + 1,
    recovered: { entries: walk.head.count - kept.count, bytes_cut: walk.torn?.bytes ?? 0 },
  }
}

/** The newest file that begins at or before an entry, and the head before it. */
async function fileOfEntry(
  directory: string,
  count: number,
): Promise<{ readonly start: AuditHead; readonly since: number }> {
  for await (const file of openFiles(directory, { newestFirst: true })) {
    const first = await linesOf(file).next()
    const start = first.done === true ? undefined : headBefore(first.value.bytes)
    if (start === undefined || start.count >= Math.max(1, count)) continue
    return { start, since: file.name === CURRENT_FILE ? Infinity : fileNumber(file.name) }
  }
  return { start: EMPTY_HEAD, since: 0 }
}

function refuseBroken(walk: ChainWalk, kept: AuditHead | undefined): void {
  const { broken, head, last } = walk
  if (broken !== undefined) {
    throw new AuditLogBrokenError(`${broken.file}:${broken.line}`, broken.problem)
  }
  const end = `${last?.file ?? CURRENT_FILE}:${last?.line ?? 0}`
  if (kept === undefined && head.count > 0) {
    throw new AuditLogBrokenError(end, "no head was kept of it")
  }
  if (kept !== undefined && head.count < kept.count) {
    throw new AuditLogBrokenError(end, `it was cut before entry ${kept.count}`)
  }
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    (error) => {
      if (isMissing(error)) return 0
      throw error
    },
  )
}
