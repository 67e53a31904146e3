import type { AuditEntry, AuditHead } from "../ports/sandbox.ts"
import { LINE_BYTES_MAX, openEntry } from "./audit-entry.ts"
import { type AuditFile, type AuditLine, CURRENT_FILE, linesOf } from "./audit-files.ts"

/** Where a line is. */
export interface AuditPlace {
  readonly file: string
  /** From 1. */
  readonly line: number
}

export interface BrokenLine extends AuditPlace {
  /** That the line has by its place in the chain. */
  readonly sequence: number
  readonly problem: string
}

/** A last line that lacks its end: a write that is still going on, or that a crash cut off. */
export interface TornLine extends AuditPlace {
  /** Bytes of the file before it, and of the line. */
  readonly offset: number
  readonly bytes: number
}

/** What a walk along the chain came upon. */
export interface ChainWalk {
  /** Of the last entry that is right. */
  readonly head: AuditHead
  readonly last: AuditPlace | undefined
  /** Opened so far. */
  readonly files: number
  readonly broken?: BrokenLine
  readonly torn?: TornLine
}

/** May say what is wrong with an entry that follows the chain. */
export type EntryCheck = (entry: AuditEntry, place: AuditPlace) => string | undefined

/**
 * Follows the chain from `start` through the files, in bounded memory, up to the first line that is
 * wrong.
 */
export async function walkChain(
  files: AsyncIterable<AuditFile>,
  start: AuditHead,
  check: EntryCheck,
): Promise<ChainWalk> {
  let walk: ChainWalk = { head: start, last: undefined, files: 0 }
  for await (const file of files) {
    walk = { ...walk, files: walk.files + 1 }
    for await (const line of linesOf(file)) {
      walk = nextStep(walk, { line, file, check })
      if (walk.broken !== undefined || walk.torn !== undefined) return walk
    }
  }
  return walk
}

interface Step {
  readonly line: AuditLine
  readonly file: AuditFile
  readonly check: EntryCheck
}

function nextStep(walk: ChainWalk, { line, file, check }: Step): ChainWalk {
  const place = { file: file.name, line: line.number }
  if (isTorn(line, file)) {
    return { ...walk, torn: { ...place, offset: line.offset, bytes: line.bytes.length } }
  }
  const entry = line.isComplete ? openEntry(line.bytes, walk.head) : "is cut, or too long"
  const problem = typeof entry === "string" ? entry : check(entry, place)
  if (typeof entry !== "string" && problem === undefined) {
    return { ...walk, head: { count: entry.sequence, hash: entry.hash }, last: place }
  }
  const sequence = walk.head.count + 1
  return { ...walk, broken: { ...place, sequence, problem: problem ?? "" } }
}

/** Only the last line of the current file can be one that is still being written. */
function isTorn({ isComplete, bytes }: AuditLine, { name }: AuditFile): boolean {
  return !isComplete && name === CURRENT_FILE && bytes.length <= LINE_BYTES_MAX
}
