import { mkdir, unlink } from "node:fs/promises"
import { join } from "node:path"
import { MalformedError, TooLargeError, UnavailableError } from "../errors.ts"
import type { AuditEntry, AuditHead, AuditHeadStore, AuditLog } from "../ports/sandbox.ts"
import type { Clock } from "../ports.ts"
import {
  type AuditEvent,
  canonicalJson,
  EMPTY_HEAD,
  LINE_BYTES_MAX,
  sealEntry,
} from "./audit-entry.ts"
import { setAsideFiles } from "./audit-files.ts"
import { resumeChain } from "./audit-resume.ts"
import { DROPPED, headBeforeFile } from "./audit-retention.ts"
import { readTail } from "./audit-tail.ts"
import { AuditWriter } from "./audit-writer.ts"

export interface AuditLogOptions {
  /** Created where it is missing. The caller owns the data directory. */
  readonly directory: string
  readonly heads: AuditHeadStore
  readonly clock: Pick<Clock, "nowMs">
  /** Bytes from which a file is set aside; default 16 MiB. */
  readonly fileBytesMax?: number
  /** Files that are kept beside the current one, the newest; default 128, 2 GiB. */
  readonly filesMax?: number
}

interface PendingAppend {
  readonly event: AuditEvent
  readonly resolve: (entry: AuditEntry) => void
  readonly reject: (error: unknown) => void
}

const FILE_BYTES_MAX = 16 * 1_048_576
const FILES_MAX = 128
/** Entries that share one sync, and entries that may wait for one. */
const BATCH_MAX = 256
const PENDING_MAX = 4_096
/** What surrounds type and data in a line: digests, time and sequence. */
const FRAME_BYTES_MAX = 512
const LIMIT_MAX = 1_000

/**
 * Opens the chain where it ends. What a crash left there is told by an entry `audit_recovered`.
 *
 * @throws AuditLogBrokenError where somebody changed its end, FileUnreadableError, UnavailableError
 */
export async function openAuditLog(options: AuditLogOptions): Promise<AuditLog> {
  const { directory, heads, fileBytesMax = FILE_BYTES_MAX } = options
  await mkdir(directory, { recursive: true, mode: 0o700 })
  const { head, bytes, nextNumber, recovered } = await resumeChain(directory, heads.read())
  await heads.write(head)
  const writer = new AuditWriter({ directory, bytes, nextNumber, fileBytesMax })
  const log = new ChainedLog(options, { head, writer })
  if (recovered.entries > 0 || recovered.bytes_cut > 0) {
    await log.append("audit_recovered", recovered)
  }
  await log.dropSurplus().catch(() => undefined)
  return log
}

/** Stands in for a log that cannot be opened: nothing is appended, so nothing runs. */
export function refusingAuditLog(directory: string, reason: Error): AuditLog {
  return {
    append: () => Promise.reject(reason),
    head: () => EMPTY_HEAD,
    tail: (limit) => readTail(directory, limit),
    close: () => Promise.resolve(),
  }
}

class ChainedLog implements AuditLog {
  readonly #options: AuditLogOptions
  readonly #writer: AuditWriter
  #head: AuditHead
  #pending: PendingAppend[] = []
  #flushing: Promise<void> | undefined
  /** The writer's, when it was last looked for files to drop. */
  #trimmedAt = 0
  /** Runs behind the appends, so that they do not wait for a second sync. */
  #headKept: Promise<void> = Promise.resolve()

  constructor(
    options: AuditLogOptions,
    { head, writer }: { head: AuditHead; writer: AuditWriter },
  ) {
    this.#options = options
    this.#head = head
    this.#writer = writer
  }

  async append(eventType: string, data: Readonly<Record<string, unknown>>): Promise<AuditEntry> {
    const event = this.#event(eventType, data)
    if (this.#pending.length >= PENDING_MAX) throw new UnavailableError("the audit log")
    const { promise, resolve, reject } = Promise.withResolvers<AuditEntry>()
    this.#pending.push({ event, resolve, reject })
    this.#flushing ??= this.#flush()
    return promise
  }

  head(): AuditHead {
    return this.#head
  }

  async tail(limit: number): Promise<readonly AuditEntry[]> {
    if (!Number.isInteger(limit) || limit < 1 || limit > LIMIT_MAX) {
      throw new MalformedError("limit", `a whole number from 1 to ${LIMIT_MAX}`)
    }
    return readTail(this.#options.directory, limit)
  }

  /** For who alone appends. What fails is tried again with the next file that is set aside. */
  async dropSurplus(): Promise<void> {
    const { directory, filesMax = FILES_MAX } = this.#options
    this.#trimmedAt = this.#writer.nextNumber
    const names = await setAsideFiles(directory)
    for (const [index, file] of names.slice(0, -filesMax).entries()) {
      const head = await headBeforeFile(directory, names[index + 1] ?? file)
      // what somebody tampered with stays as it is
      if (head === undefined) return
      // said in the chain first: a log that begins later than it says was cut
      await this.#commit([this.#event(DROPPED, { ...head, file })])
      await unlink(join(directory, file))
    }
  }

  async close(): Promise<void> {
    await this.#flushing
    await this.#writer.close()
    await this.#headKept.catch(() => this.#options.heads.write(this.#head))
  }

  /** A copy: what the caller changes later is not what happened. */
  #event(eventType: string, data: Readonly<Record<string, unknown>>): AuditEvent {
    const text = canonicalJson(data)
    if (text.length + eventType.length > LINE_BYTES_MAX - FRAME_BYTES_MAX) {
      throw new TooLargeError("data", LINE_BYTES_MAX - FRAME_BYTES_MAX)
    }
    const timestamp = new Date(this.#options.clock.nowMs()).toISOString()
    return { event_type: eventType, data: JSON.parse(text), timestamp }
  }

  async #flush(): Promise<void> {
    // Entries appended in the same turn go along.
    await Promise.resolve()
    while (this.#pending.length > 0) {
      const batch = this.#pending.splice(0, BATCH_MAX)
      try {
        const entries = await this.#commit(batch.map(({ event }) => event))
        for (const [index, entry] of entries.entries()) batch[index]?.resolve(entry)
      } catch (error) {
        for (const { reject } of batch) reject(error)
      }
      if (this.#writer.nextNumber !== this.#trimmedAt) {
        await this.dropSurplus().catch(() => undefined)
      }
    }
    // In the turn that found nothing pending: an entry appended later starts the next flush.
    this.#flushing = undefined
  }

  /** The chain moves on only with what is on disk. */
  async #commit(events: readonly AuditEvent[]): Promise<readonly AuditEntry[]> {
    await this.#headIsKept()
    let head = this.#head
    const sealed = events.map((event) => {
      const next = sealEntry(event, head)
      head = { count: next.entry.sequence, hash: next.entry.hash }
      return next
    })
    await this.#writer.append(sealed.map(({ line }) => `${line}\n`).join(""))
    this.#head = head
    this.#keepHead()
    return sealed.map(({ entry }) => entry)
  }

  /** So the head that is kept is never more than one commit behind. */
  async #headIsKept(): Promise<void> {
    try {
      await this.#headKept
    } catch (error) {
      this.#keepHead()
      throw error
    }
  }

  #keepHead(): void {
    this.#headKept = this.#options.heads.write(this.#head)
    // Thrown by whoever waits for it next.
    this.#headKept.catch(() => undefined)
  }
}
