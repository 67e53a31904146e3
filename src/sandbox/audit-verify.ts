import type { AuditHead } from "../ports/sandbox.ts"
import { type BrokenLine, type ChainWalk, walkChain } from "./audit-chain.ts"
import { EMPTY_HEAD } from "./audit-entry.ts"
import { CURRENT_FILE, openFiles } from "./audit-files.ts"
import { beginningOf } from "./audit-retention.ts"

export interface AuditVerification {
  /** Entries before the first broken line. */
  readonly entries: number
  /** Sequence of the first one: above 1 where older files were dropped, as the log says itself. */
  readonly first: number
  readonly files: number
  /** Of the last entry that is right. */
  readonly head: AuditHead
  readonly broken: BrokenLine | undefined
}

export interface AuditWitness {
  /** The head that is kept apart from the log, as it is at the moment of the call. */
  readHead(): Promise<AuditHead | undefined>
  /** First hex digits, 13 to 64, of a hash that somebody noted earlier. */
  readonly notedHash?: string
  sleep(ms: number): Promise<void>
}

/** A server that writes keeps the head a few milliseconds after the entry. */
const HEAD_WAITS_MAX = 20
const HEAD_WAIT_MS = 50

/**
 * Reads the whole log and names the first line that is edited, removed, cut, moved, inserted or torn.
 * What a running server appends meanwhile is left to the next verification.
 *
 * @throws FileUnreadableError
 */
export async function verifyAudit(
  directory: string,
  witness: AuditWitness,
): Promise<AuditVerification> {
  const once = await verifyOnce(directory, witness)
  // a running server may have dropped the oldest file meanwhile
  return once.broken === undefined ? once : verifyOnce(directory, witness)
}

async function verifyOnce(directory: string, witness: AuditWitness): Promise<AuditVerification> {
  const kept = (await witness.readHead()) ?? EMPTY_HEAD
  const start = await beginningOf(directory)
  const { notedHash = "" } = witness
  let isNotedSeen = notedHash === "" || (start.count > 0 && start.hash.startsWith(notedHash))
  let afterKept: BrokenLine | undefined
  const walk = await walkChain(openFiles(directory), start, ({ sequence, hash }, place) => {
    isNotedSeen ||= hash.startsWith(notedHash)
    if (sequence === kept.count + 1) afterKept = { ...place, sequence, problem: NOT_ACKNOWLEDGED }
    return sequence === kept.count && hash !== kept.hash ? NOT_THE_HEAD : undefined
  })
  const broken =
    walk.broken ??
    cutAt(walk, kept) ??
    (isNotedSeen ? undefined : { ...endOf(walk), problem: NOT_NOTED }) ??
    ((await isAcknowledged(walk, witness)) ? undefined : (afterKept ?? tornAt(walk)))
  const { count } = walk.head
  const range = { entries: count - start.count, first: start.count + 1 }
  return { ...range, files: walk.files, head: walk.head, broken }
}

const NOT_THE_HEAD = "is not the entry that the head was kept of"
const NOT_ACKNOWLEDGED = "goes on beyond the head that was kept: nothing acknowledged it"
const NOT_NOTED = "no entry has the hash that was given: the log was cut or replaced"

function cutAt(walk: ChainWalk, kept: AuditHead): BrokenLine | undefined {
  if (walk.head.count >= kept.count) return undefined
  const problem = `the log ends before its head, which is entry ${kept.count}: it was cut`
  return { ...endOf(walk), problem }
}

/** Entries beyond the head that was kept are in order once it has caught up with them. */
async function isAcknowledged(walk: ChainWalk, witness: AuditWitness): Promise<boolean> {
  const count = walk.torn === undefined ? walk.head.count : walk.head.count + 1
  for (let waits = 0; waits < HEAD_WAITS_MAX; waits += 1) {
    const kept = await witness.readHead()
    if ((kept?.count ?? 0) >= count) return true
    await witness.sleep(HEAD_WAIT_MS)
  }
  return false
}

function tornAt(walk: ChainWalk): BrokenLine {
  return { ...endOf(walk), problem: "a line without its end: the write was cut off" }
}

/** Where the next entry belongs. */
function endOf({ head, last, torn }: ChainWalk): Omit<BrokenLine, "problem"> {
  const { file, line } = torn ?? { file: last?.file ?? CURRENT_FILE, line: (last?.line ?? 0) + 1 }
  return { file, line, sequence: head.count + 1 }
}
