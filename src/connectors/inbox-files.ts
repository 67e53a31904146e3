import { constants } from "node:fs"
import { lstat, mkdir, open, readdir, rename, writeFile } from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { FileUnreadableError, MalformedError, TooLargeError } from "../errors.ts"
import { asFileError } from "./lines.ts"

/** How a file of the inbox is read, told by its name; undefined = not evidence. */
export type InboxKind = "document" | "archive" | "lines"

/** A directory entry as bytes: a name need not be valid UTF-8. */
export interface InboxFile {
  readonly name: Buffer
  readonly path: Buffer
  readonly identity: FileIdentity
}

/** Equal identities mean that nobody wrote to the file or put another in its place. */
export interface FileIdentity {
  readonly ino: number
  readonly size: number
  readonly mtimeMs: number
  readonly isRegular: boolean
}

/** Entries that one scan takes up; the rest is left to a later scan. */
const FILES_MAX = 10_000
const NAME_BYTES_MAX = 200
const COLLISIONS_MAX = 10_000
/** Names that other programs give to files which they are still writing. */
const UNFINISHED = /^\.|\.(tmp|part|partial|crdownload|swp)$|~$/i

export function inboxKind(name: Buffer): InboxKind | undefined {
  const text = name.toString("latin1").toLowerCase()
  if (/\.jsonl(\.gz)?$/.test(text)) return "lines"
  if (/\.(json|har)$/.test(text)) return "document"
  return /\.(tar\.gz|tgz)$/.test(text) ? "archive" : undefined
}

/**
 * The files of a directory that may be evidence, sorted by name, at most 10,000 of them.
 * @param taken names (latin1) to pass over without looking at them
 */
export async function listInbox(
  directory: string,
  taken: ReadonlySet<string>,
): Promise<readonly InboxFile[]> {
  const names = await readdir(directory, { encoding: "buffer" })
  const candidates = names.filter((name) => {
    const text = name.toString("latin1")
    return !taken.has(text) && !UNFINISHED.test(text)
  })
  const files: InboxFile[] = []
  for (const name of candidates.toSorted(Buffer.compare).slice(0, FILES_MAX)) {
    const path = Buffer.concat([Buffer.from(`${directory}/`), name])
    const identity = await identify(path)
    if (identity !== undefined) files.push({ name, path, identity })
  }
  return files
}

/** Undefined where the file is gone or is a directory. */
export async function identify(path: Buffer): Promise<FileIdentity | undefined> {
  const info = await lstat(path).catch(() => undefined)
  if (info === undefined || info.isDirectory()) return undefined
  return { ino: info.ino, size: info.size, mtimeMs: info.mtimeMs, isRegular: info.isFile() }
}

export function isSameFile(a: FileIdentity, b: FileIdentity): boolean {
  return a.ino === b.ino && a.size === b.size && a.mtimeMs === b.mtimeMs
}

/** @throws FileUnreadableError for what is no regular file, MalformedError for another kind of name */
export function checkEvidenceFile(file: InboxFile): InboxKind {
  if (!file.identity.isRegular) throw new FileUnreadableError("not a regular file")
  const kind = inboxKind(file.name)
  if (kind === undefined) throw new MalformedError("file", "a name of .json .har .tar.gz .jsonl")
  return kind
}

/** @throws TooLargeError, FileUnreadableError */
export async function readWhole(path: Buffer, bytesMax: number): Promise<Buffer> {
  // A link or a pipe put there since the scan must neither be followed nor waited for.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  const handle = await open(path as unknown as string, flags).catch((error: unknown) => {
    throw asFileError(error)
  })
  try {
    const { size } = await handle.stat()
    if (size > bytesMax) throw new TooLargeError("file", bytesMax)
    const bytes = Buffer.allocUnsafe(size)
    const { bytesRead } = await handle.read(bytes, 0, size, 0)
    return bytes.subarray(0, bytesRead)
  } finally {
    await handle.close()
  }
}

/**
 * Moves a file, never over another: a name that is taken gets a number. A `reason` is written to
 * `<name>.error.json` first, so that no failed file is ever without one.
 */
export async function moveInto(
  directory: string,
  file: Pick<InboxFile, "name" | "path">,
  reason?: object,
): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const target = join(directory, await freeName(directory, printableName(file.name)))
  if (reason !== undefined) {
    await writeFile(`${target}.error.json`, `${JSON.stringify(reason)}\n`, { mode: 0o600 })
  }
  await rename(file.path, target)
  await rename(sidecarOf(file), `${target}.enrichment.json`).catch(() => undefined)
}

/** The data directory has one owner, so nothing else takes the name in between. */
async function freeName(directory: string, plain: string): Promise<string> {
  for (let attempt = 0; attempt < COLLISIONS_MAX; attempt += 1) {
    const name = attempt === 0 ? plain : plain.replace(/(\.|$)/, `-${attempt}$1`)
    const info = await lstat(join(directory, name)).catch(() => undefined)
    if (info === undefined) return name
  }
  throw new TooLargeError("file", COLLISIONS_MAX, "files of one name")
}

/** Where the enrichment of a submitted document lies: beside it, under a name that no scan takes up. */
export function sidecarPath(path: string): string {
  return join(dirname(path), `.${basename(path)}.enrichment`)
}

/** latin1 keeps every byte of a name that need not be valid UTF-8. */
export function sidecarOf(file: Pick<InboxFile, "path">): Buffer {
  return Buffer.from(sidecarPath(file.path.toString("latin1")), "latin1")
}

/** A name that a terminal and every file system bear: control and non-ASCII bytes become `_`. */
export function printableName(name: Buffer): string {
  const text = name.toString("latin1").replace(/[^\x20-\x7e]|\//g, "_")
  return text.length <= NAME_BYTES_MAX ? text : text.slice(-NAME_BYTES_MAX)
}
