import { constants } from "node:fs"
import { type FileHandle, open, rename, stat } from "node:fs/promises"
import { join } from "node:path"
import { AuditLogBrokenError, SentinelError, UnavailableError } from "../errors.ts"
import { CURRENT_FILE, isMissing, nameOfNumber } from "./audit-files.ts"

export interface AuditWriterOptions {
  /** Exists and is this process's alone: it owns the data directory. */
  readonly directory: string
  /** Of the current file, all of them acknowledged or taken over. */
  readonly bytes: number
  /** Of the file that is set aside next. */
  readonly nextNumber: number
  /** Bytes from which the current file is set aside. */
  readonly fileBytesMax: number
}

/** Appends to the current file durably, or leaves it as it was. */
export class AuditWriter {
  readonly #options: AuditWriterOptions
  readonly #path: string
  #bytes: number
  #nextNumber: number
  #handle: FileHandle | undefined
  /** A write failed and could not be undone: what lies behind the acknowledged bytes is ours. */
  #hasLeftover = false

  constructor(options: AuditWriterOptions) {
    this.#options = options
    this.#path = join(options.directory, CURRENT_FILE)
    this.#bytes = options.bytes
    this.#nextNumber = options.nextNumber
  }

  /**
   * Resolves once the text is on disk.
   * @throws UnavailableError, as on a full disk; AuditLogBrokenError where somebody else wrote
   */
  async append(text: string): Promise<void> {
    try {
      await this.#write(await this.#fileWithRoom(), text)
      this.#bytes += Buffer.byteLength(text)
    } catch (error) {
      throw error instanceof SentinelError ? error : new UnavailableError("the audit log", error)
    }
  }

  /** Of the file that is set aside next. */
  get nextNumber(): number {
    return this.#nextNumber
  }

  async close(): Promise<void> {
    await this.#handle?.close()
    this.#handle = undefined
  }

  async #fileWithRoom(): Promise<FileHandle> {
    const handle = await this.#open()
    await this.#expectUntouched(handle)
    if (this.#bytes < this.#options.fileBytesMax) return handle
    await this.#setAside()
    return this.#open()
  }

  async #open(): Promise<FileHandle> {
    if (this.#handle !== undefined) return this.#handle
    const { O_RDWR, O_CREAT, O_APPEND, O_NOFOLLOW } = constants
    this.#handle = await open(this.#path, O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW, 0o600)
    await syncDirectory(this.#options.directory)
    return this.#handle
  }

  async #write(handle: FileHandle, text: string): Promise<void> {
    try {
      await handle.writeFile(text)
      await handle.datasync()
    } catch (error) {
      this.#hasLeftover = true
      await this.#removeLeftover(handle).catch(() => undefined)
      throw error
    }
  }

  async #removeLeftover(handle: FileHandle): Promise<void> {
    await handle.truncate(this.#bytes)
    this.#hasLeftover = false
  }

  async #expectUntouched(handle: FileHandle): Promise<void> {
    const opened = await handle.stat()
    const present = await stat(this.#path).catch((error) => {
      if (!isMissing(error)) throw error
    })
    if (present?.ino !== opened.ino) throw broken("another file is in its place")
    if (this.#hasLeftover && opened.size >= this.#bytes) await this.#removeLeftover(handle)
    else if (opened.size !== this.#bytes) throw broken("its length was changed")
  }

  async #setAside(): Promise<void> {
    await this.close()
    // Whatever is in the way was put there by somebody else.
    const name = nameOfNumber(this.#nextNumber)
    const target = join(this.#options.directory, name)
    if (await isThere(target)) throw new AuditLogBrokenError(`${name}:1`, "it was not set aside")
    await rename(this.#path, target)
    this.#nextNumber += 1
    this.#bytes = 0
  }
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error) => {
      if (isMissing(error)) return false
      throw error
    },
  )
}

function broken(problem: string): AuditLogBrokenError {
  return new AuditLogBrokenError(`the end of ${CURRENT_FILE}`, problem)
}

/** A file is only durable once its name is. */
async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r")
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
