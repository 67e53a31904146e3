import { constants } from "node:fs"
import { access, type FileHandle, open, opendir, realpath, stat } from "node:fs/promises"
import { join } from "node:path"
import {
  FileUnreadableError,
  LocationRefusedError,
  ObjectNotFoundError,
  systemErrorCode,
  TooLargeError,
  UnavailableError,
} from "../errors.ts"
import type { StoredObject } from "../events.ts"
import type { ObjectEntry, ObjectStore } from "../ports.ts"

const KEY_BYTES_MAX = 1_024
/** Directory entries that one listing may look at, whether they match or not. */
const ENTRIES_MAX = 100_000

/**
 * Reads objects from `<directory>/<bucket>/<key>`. A bucket or key that leaves the directory, by
 * `..`, by an absolute path, by a NUL or through a symbolic link, is a LocationRefusedError.
 */
export function folderObjects(directory: string): ObjectStore {
  return {
    name: "folder",
    get: (bucket, key, options) => getObject(directory, { bucket, key }, options),
    list: (bucket, prefix, options) => listObjects(directory, { bucket, prefix }, options),
    async ping(signal) {
      signal?.throwIfAborted()
      await access(directory, constants.R_OK).catch((error: unknown) => {
        throw new UnavailableError("the object folder", error)
      })
    },
  }
}

async function getObject(
  directory: string,
  { bucket, key }: { bucket: string; key: string },
  { bytesMax, signal }: { bytesMax: number; signal?: AbortSignal },
): Promise<StoredObject> {
  signal?.throwIfAborted()
  const path = await resolveInside(directory, [...segments(bucket), ...segments(key)])
  // The last component could still be swapped for a link or a pipe between check and open.
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK
  const handle = await open(path, flags).catch(asObjectError)
  try {
    const { size, mtimeMs } = await regularFile(handle)
    if (size > bytesMax) throw new TooLargeError("evidence_uri", bytesMax)
    return { key, bytes: await readBounded(handle, bytesMax, signal), modifiedMs: mtimeMs }
  } finally {
    await handle.close()
  }
}

async function regularFile(handle: FileHandle) {
  const info = await handle.stat()
  if (!info.isFile()) throw new ObjectNotFoundError()
  return info
}

/** The file may grow while it is read: the bound holds for what is read, not for what was promised. */
async function readBounded(handle: FileHandle, bytesMax: number, signal?: AbortSignal) {
  const chunks: Buffer[] = []
  let total = 0
  for (;;) {
    signal?.throwIfAborted()
    const chunk = Buffer.allocUnsafe(262_144)
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, null)
    if (bytesRead === 0) return Buffer.concat(chunks, total)
    total += bytesRead
    if (total > bytesMax) throw new TooLargeError("evidence_uri", bytesMax)
    chunks.push(chunk.subarray(0, bytesRead))
  }
}

async function listObjects(
  directory: string,
  { bucket, prefix }: { bucket: string; prefix: string },
  { objectsMax, signal }: { objectsMax: number; signal?: AbortSignal },
): Promise<readonly ObjectEntry[]> {
  const lastSlash = prefix.lastIndexOf("/")
  const folder = prefix.slice(0, Math.max(lastSlash, 0))
  const inside = [...segments(bucket), ...(folder === "" ? [] : segments(folder))]
  const start = await resolveInside(directory, inside).catch((error: unknown) => {
    // S3 knows no folders: a prefix without objects is an empty listing.
    if (error instanceof ObjectNotFoundError) return undefined
    throw error
  })
  const entries: ObjectEntry[] = []
  if (start === undefined) return entries
  for await (const entry of walk(start, folder, signal)) {
    if (!entry.key.startsWith(prefix)) continue
    if (entries.length === objectsMax) throw new TooLargeError("location", objectsMax, "objects")
    entries.push(entry)
  }
  return entries.toSorted((a, b) => (a.key < b.key ? -1 : 1))
}

/** Every regular file below `start`, keys relative to the bucket; links are not followed. */
async function* walk(start: string, folder: string, signal?: AbortSignal) {
  const pending = [{ path: start, key: folder }]
  let seen = 0
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    for await (const entry of await opendir(next.path).catch(asObjectError)) {
      signal?.throwIfAborted()
      seen += 1
      if (seen > ENTRIES_MAX) throw new TooLargeError("location", ENTRIES_MAX, "entries")
      const path = join(next.path, entry.name)
      const key = next.key === "" ? entry.name : `${next.key}/${entry.name}`
      if (entry.isDirectory()) pending.push({ path, key })
      if (!entry.isFile()) continue
      const info = await stat(path).catch(asObjectError)
      yield { key, bytes: info.size, modifiedMs: info.mtimeMs }
    }
  }
}

function segments(text: string): readonly string[] {
  const parts = text.replace(/\/$/, "").split("/")
  const refused = parts.some((part) => part === "" || part === "." || part === "..")
  if (refused || text.includes("\0") || Buffer.byteLength(text) > KEY_BYTES_MAX) {
    throw new LocationRefusedError("evidence_uri", "no key of this object store")
  }
  return parts
}

/** The real path is the plain path only if no component is a symbolic link. */
async function resolveInside(directory: string, parts: readonly string[]): Promise<string> {
  const root = await realpath(directory).catch((error: unknown) => {
    throw new UnavailableError("the object folder", error)
  })
  const path = join(root, ...parts)
  const real = await realpath(path).catch(asObjectError)
  if (real !== path) throw new LocationRefusedError("evidence_uri", "leads through a link")
  return path
}

function asObjectError(error: unknown): never {
  const code = systemErrorCode(error)
  if (code === "ENOENT" || code === "ENOTDIR" || code === "ENAMETOOLONG" || code === "EISDIR") {
    throw new ObjectNotFoundError()
  }
  if (code === "ELOOP") throw new LocationRefusedError("evidence_uri", "leads through a link")
  if (code === "EACCES") throw new FileUnreadableError("permission denied", error)
  throw new UnavailableError("the object folder", error)
}
