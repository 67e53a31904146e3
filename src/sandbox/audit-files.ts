import { constants } from "node:fs"
import { type FileHandle, open, readdir } from "node:fs/promises"
import { join } from "node:path"
import { FileUnreadableError, systemErrorCode } from "../errors.ts"
import { LINE_BYTES_MAX } from "./audit-entry.ts"

/** The files of the audit log, oldest first: `sandbox-audit.000001.jsonl`, ..., `sandbox-audit.jsonl`. */

export const CURRENT_FILE = "sandbox-audit.jsonl"

const SET_ASIDE = /^sandbox-audit\.(\d{6,12})\.jsonl$/
const CHUNK_BYTES = 65_536
const NEWLINE = 10

export interface AuditFile {
  readonly name: string
  /** Taken when the file was opened: what is appended later is not read. */
  readonly bytes: number
  readonly inode: number
  readonly handle: FileHandle
}

/** A line without its newline; the last one of a file may lack it. Numbers count from 1. */
export interface AuditLine {
  readonly number: number
  readonly bytes: Buffer
  /** Of its first byte. */
  readonly offset: number
  readonly isComplete: boolean
}

export function fileNumber(name: string): number {
  return Number(SET_ASIDE.exec(name)?.[1] ?? 0)
}

export function nameOfNumber(number: number): string {
  return `sandbox-audit.${String(number).padStart(6, "0")}.jsonl`
}

/**
 * Names of the files that were set aside, oldest first.
 * @throws FileUnreadableError
 */
export async function setAsideFiles(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory).catch((error) => {
    if (isMissing(error)) return []
    throw new FileUnreadableError("the audit directory cannot be read", error)
  })
  return names
    .filter((name) => SET_ASIDE.test(name))
    .sort((one, other) => fileNumber(one) - fileNumber(other))
}

/**
 * The files, each open until the next one is asked for. The current one is opened before the others
 * are listed: set aside meanwhile, it is read once all the same.
 *
 * @param options `since`: number of the first file of interest, default the oldest
 * @throws FileUnreadableError
 */
export async function* openFiles(
  directory: string,
  options: { readonly newestFirst?: boolean; readonly since?: number } = {},
): AsyncGenerator<AuditFile> {
  const { newestFirst = false, since = 0 } = options
  const current = await openFile(directory, CURRENT_FILE)
  try {
    if (current !== undefined && newestFirst) yield current
    const names = (await setAsideFiles(directory)).filter((name) => fileNumber(name) >= since)
    for (const name of newestFirst ? names.toReversed() : names) {
      const file = await openFile(directory, name)
      try {
        if (file !== undefined && file.inode !== current?.inode) yield file
      } finally {
        await file?.handle.close()
      }
    }
    if (current !== undefined && !newestFirst) yield current
  } finally {
    await current?.handle.close()
  }
}

/** Undefined where there is no such file. @throws FileUnreadableError */
async function openFile(directory: string, name: string): Promise<AuditFile | undefined> {
  try {
    // A link or a pipe in its place is neither followed nor waited for.
    const strict = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
    const handle = await open(join(directory, name), strict)
    const { size, ino } = await handle.stat()
    return { name, handle, bytes: size, inode: ino }
  } catch (error) {
    if (isMissing(error)) return undefined
    throw new FileUnreadableError("the audit log cannot be read", error)
  }
}

/** A line longer than any entry ends the reading: it comes cut, and incomplete. */
export async function* linesOf(file: AuditFile): AsyncGenerator<AuditLine> {
  let held = Buffer.alloc(0)
  let offset = 0
  let number = 1
  for (let at = 0; at < file.bytes; ) {
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, file.bytes - at))
    const { bytesRead } = await file.handle.read(chunk, 0, chunk.length, at)
    if (bytesRead === 0) break
    at += bytesRead
    held = Buffer.concat([held, chunk.subarray(0, bytesRead)])
    for (let end = held.indexOf(NEWLINE); end >= 0; end = held.indexOf(NEWLINE)) {
      yield { number, bytes: held.subarray(0, end), offset, isComplete: end <= LINE_BYTES_MAX }
      held = held.subarray(end + 1)
      offset += end + 1
      number += 1
    }
    if (held.length > LINE_BYTES_MAX) break
  }
  if (held.length > 0) yield { number, bytes: held, offset, isComplete: false }
}

/** The last `max` complete lines of a file, oldest first, read from its end. */
export async function lastLines(file: AuditFile, max: number): Promise<readonly Buffer[]> {
  let held = Buffer.alloc(0)
  let start = file.bytes
  const bytesMax = (max + 1) * (LINE_BYTES_MAX + 1)
  while (start > 0 && countNewlines(held) <= max && held.length < bytesMax) {
    const length = Math.min(CHUNK_BYTES, start)
    const chunk = Buffer.alloc(length)
    start -= length
    await file.handle.read(chunk, 0, length, start)
    held = Buffer.concat([chunk, held])
  }
  const lines = held.toString("latin1").split("\n").slice(0, -1)
  // The first one may have begun before what was read.
  const whole = start > 0 ? lines.slice(1) : lines
  return whole.slice(-max).map((line) => Buffer.from(line, "latin1"))
}

function countNewlines(bytes: Buffer): number {
  let count = 0
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count += 1
  return count
}

export function isMissing(error: unknown): boolean {
  return systemErrorCode(error) === "ENOENT"
}
