import { promisify } from "node:util"
import { gunzip } from "node:zlib"
import { extract, type Header } from "tar-stream"
import { ArchiveRefusedError, SentinelError, systemErrorCode } from "../errors.ts"

export const ARCHIVE_MEMBERS_MAX = 1_000
export const ARCHIVE_BYTES_MAX = 268_435_456
/** What is kept in memory of the members that are read, all together. */
const KEPT_BYTES_MAX = 67_108_864
/** A payload file is cut here; its digest is over all of it. */
const PAYLOAD_BYTES_MAX = 65_536
const NAME_CHARS_MAX = 1_024
/** What Node calls output beyond `maxOutputLength`. */
const TOO_LARGE = "ERR_BUFFER_TOO_LARGE"

const DOCUMENTS = new Set(["metadata.json", "session.har", "behavior.json", "manifest.json"])
const PAYLOAD_FILE = /^payloads\/[^/]{1,255}\.txt$/

export interface ArchiveMember {
  /** Over the raw bytes of the file, 64 lower-case hex digits. */
  readonly sha256: string
  /** undefined for a file whose content nobody reads. */
  readonly bytes: Uint8Array | undefined
}

/** Told by the first bytes: gzip's magic number and its one compression method. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b && bytes[2] === 0x08
}

/**
 * Unpacks a `.tar.gz` in memory; nothing is written to disk and nothing is inflated past the bound.
 *
 * Out: the regular files by path, as written but for a leading `./`.
 * @throws ArchiveRefusedError for a path that escapes or comes twice, anything but files and
 * directories, more than ARCHIVE_MEMBERS_MAX members, more than ARCHIVE_BYTES_MAX unpacked, or
 * bytes that are no archive
 */
export async function unpackArchive(
  bytes: Uint8Array,
  signal?: AbortSignal,
): Promise<ReadonlyMap<string, ArchiveMember>> {
  const inflated = await inflate(bytes)
  signal?.throwIfAborted()
  try {
    return await readMembers(inflated, signal)
  } catch (error) {
    if (error instanceof SentinelError || signal?.aborted) throw error
    throw new ArchiveRefusedError("not a well-formed .tar.gz")
  }
}

const gunzipBounded = promisify(gunzip)

/**
 * In one piece, outside the event loop: piping gunzip into the tar reader was seen to hang under
 * Bun when a member was refused half-way.
 */
async function inflate(bytes: Uint8Array): Promise<Uint8Array> {
  try {
    return await gunzipBounded(bytes, { maxOutputLength: ARCHIVE_BYTES_MAX })
  } catch (error) {
    const isBomb = systemErrorCode(error) === TOO_LARGE
    throw new ArchiveRefusedError(
      isBomb ? `more than ${ARCHIVE_BYTES_MAX} bytes unpacked` : "not a well-formed .tar.gz",
    )
  }
}

async function readMembers(
  inflated: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<ReadonlyMap<string, ArchiveMember>> {
  const files = new ArchiveFiles()
  const unpack = extract()
  unpack.end(inflated)
  for await (const entry of unpack) {
    signal?.throwIfAborted()
    const path = files.admit(entry.header)
    const content = new MemberContent(path)
    for await (const chunk of entry) content.add(chunk as Uint8Array)
    if (entry.header.type !== "directory") files.add(path, content)
  }
  return files.byPath
}

/** What has been unpacked so far, and the rules on what may be. */
class ArchiveFiles {
  readonly byPath = new Map<string, ArchiveMember>()
  #members = 0
  #kept = 0

  /** The path of a member that may be unpacked. */
  admit(header: Header): string {
    this.#members += 1
    if (this.#members > ARCHIVE_MEMBERS_MAX) {
      throw new ArchiveRefusedError(`more than ${ARCHIVE_MEMBERS_MAX} members`)
    }
    if (header.type !== "file" && header.type !== "directory") {
      throw new ArchiveRefusedError("a member that is neither a file nor a directory")
    }
    if (escapes(header.name)) throw new ArchiveRefusedError("a path that leaves the archive")
    return header.name.replace(/^(?:\.\/)+/, "")
  }

  add(path: string, content: MemberContent): void {
    if (this.byPath.has(path)) throw new ArchiveRefusedError("two members of one path")
    this.#kept += content.keptBytes
    if (this.#kept > KEPT_BYTES_MAX) {
      throw new ArchiveRefusedError(`documents of more than ${KEPT_BYTES_MAX} bytes`)
    }
    this.byPath.set(path, content.finish())
  }
}

/** Hashes a member as it streams by and keeps the part that is read later. */
class MemberContent {
  readonly #bytesMax: number
  readonly #hasher = new Bun.CryptoHasher("sha256")
  readonly #chunks: Uint8Array[] = []
  keptBytes = 0

  constructor(path: string) {
    if (DOCUMENTS.has(path)) this.#bytesMax = KEPT_BYTES_MAX + 1
    else this.#bytesMax = PAYLOAD_FILE.test(path) ? PAYLOAD_BYTES_MAX : 0
  }

  add(chunk: Uint8Array): void {
    this.#hasher.update(chunk)
    const room = this.#bytesMax - this.keptBytes
    if (room <= 0) return
    const kept = chunk.subarray(0, room)
    this.#chunks.push(kept)
    this.keptBytes += kept.byteLength
  }

  finish(): ArchiveMember {
    const bytes = this.#bytesMax === 0 ? undefined : Buffer.concat(this.#chunks)
    return { sha256: this.#hasher.digest("hex"), bytes }
  }
}

function escapes(name: string): boolean {
  if (name === "" || name.length > NAME_CHARS_MAX) return true
  if (/^[/\\]|^[A-Za-z]:|\0/.test(name)) return true
  return name.split(/[/\\]/).includes("..")
}
