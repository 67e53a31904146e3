import { type FSWatcher, watch } from "node:fs"
import { mkdir } from "node:fs/promises"
import { publicError } from "../errors.ts"
import type { Clock } from "../ports.ts"
import type {
  DeadLetter,
  DeadLetterSink,
  PartitionId,
  Source,
  SourceListener,
} from "../stream/types.ts"
import {
  checkEvidenceFile,
  type InboxFile,
  identify,
  isSameFile,
  listInbox,
  moveInto,
  printableName,
  readWhole,
  sidecarOf,
} from "./inbox-files.ts"
import { carriesOwnDigest } from "./inbox-submission.ts"
import { readLines } from "./lines.ts"

export const INBOX_TOPIC = "inbox"
const PARTITION: PartitionId = { topic: INBOX_TOPIC, partition: 0 }

export interface InboxOptions {
  readonly inbox: string
  readonly done: string
  readonly failed: string
  readonly clock: Clock
  /** Between two scans where the file system sends no events; default 500. */
  readonly pollMs?: number
  /** How long a file must stand unchanged before it counts; default 500. */
  readonly settleMs?: number
  /** Default 16 MiB; also the bound of one line. */
  readonly documentBytesMax?: number
  /** Compressed; default 256 MiB. */
  readonly archiveBytesMax?: number
  /** Bytes of records handed out and not yet committed; default 64 MiB, or one record. */
  readonly readAheadBytesMax?: number
  /** Told when a file can be neither read nor moved away; it then stays where it is. */
  readonly onProblem?: (error: unknown) => void
  /**
   * Told once of each file that goes to `failed` for what it is, not for what became of its records:
   * a link, a pipe, a name of no known form, a line that is too long.
   */
  readonly onRejected?: (file: RejectedFile) => void
}

export interface RejectedFile {
  /** Printable. */
  readonly file: string
  readonly code: string
  readonly message: string
}

export interface InboxSource extends Source {
  /** Tells the source that a record of its failed: its file will go to `failed`. */
  deadLettered(letter: DeadLetter): void
}

/** Decompressed size of one `.jsonl.gz`: it is streamed, so this bounds time and not memory. */
const TEXT_BYTES_MAX = 64 * 1_073_741_824
const SIDECAR_BYTES_MAX = 65_536
const FILES_IN_FLIGHT_MAX = 1_024
/** File system events come in bursts: one scan answers a burst. */
const SCAN_GAP_MS = 20

/**
 * Evidence dropped into a folder: `.json .har .tar.gz` are one record each, `.jsonl .jsonl.gz` one
 * record a line. A file counts once it has stopped growing, or at once when its name carries its
 * own digest. Once all its records are finished it goes to `done`, or to `failed` with
 * `<name>.error.json` if one of them became a dead letter. Until then it stays, so kill -9 costs
 * at most a second reading, never a file.
 */
export function inboxSource(options: InboxOptions): InboxSource {
  return new Inbox(options)
}

/** Tells the source of its dead letters: their file goes to `failed`. Stands after the others. */
export function inboxDeadLetters(source: Pick<InboxSource, "deadLettered">) {
  return {
    name: "inbox_failed",
    guarantee: "idempotent",
    concurrency: 256,
    async write(letter: DeadLetter): Promise<void> {
      if (letter.record.topic === INBOX_TOPIC) source.deadLettered(letter)
    },
  } as const satisfies DeadLetterSink
}

/** A file between its first record and its move out of the inbox. */
interface FileInFlight {
  readonly file: InboxFile
  readonly first: bigint
  /** Offset after its last record; undefined while it is read. */
  end: bigint | undefined
  failure: { readonly code: string; readonly message: string; readonly field?: string } | undefined
}

class Inbox implements InboxSource {
  readonly name = "inbox"
  readonly #options: Required<InboxOptions>
  readonly #files: FileInFlight[] = []
  readonly #taken = new Set<string>()
  #sightings = new Map<string, { readonly file: InboxFile; readonly sinceMs: number }>()
  readonly #records: { readonly offset: bigint; readonly bytes: number }[] = []
  #recordBytes = 0
  #nextOffset = 0n
  #committed = 0n
  #isHeld = false
  #isStopped = false
  /** Something was committed, resumed or stopped: who waits for room looks again. */
  #change = Promise.withResolvers<void>()
  /** The file system reports an event: the next scan need not wait. */
  #event = Promise.withResolvers<void>()
  readonly #stopped = Promise.withResolvers<void>()
  #moves: Promise<void> = Promise.resolve()
  #scanning: Promise<void> = Promise.resolve()
  #watcher: FSWatcher | undefined
  #listener: SourceListener | undefined

  constructor(options: InboxOptions) {
    this.#options = {
      pollMs: 500,
      settleMs: 500,
      documentBytesMax: 16 * 1_048_576,
      archiveBytesMax: 256 * 1_048_576,
      readAheadBytesMax: 64 * 1_048_576,
      onProblem: () => undefined,
      onRejected: () => undefined,
      ...options,
    }
  }

  async start(listener: SourceListener): Promise<void> {
    this.#listener = listener
    await mkdir(this.#options.inbox, { recursive: true, mode: 0o700 })
    await listInbox(this.#options.inbox, this.#taken)
    listener.assigned(PARTITION)
    this.#watch()
    this.#scanning = this.#scanUntilStopped().catch((error: unknown) => listener.failed(error))
  }

  pause(_partition: PartitionId): void {
    this.#isHeld = true
  }

  resume(_partition: PartitionId): void {
    this.#isHeld = false
    this.#notify()
  }

  /** A file that was read to its end and whose records are all below `nextOffset` moves away. */
  async commit(_partition: PartitionId, nextOffset: bigint): Promise<void> {
    if (nextOffset > this.#committed) this.#committed = nextOffset
    for (let record = this.#records[0]; record && record.offset < this.#committed; ) {
      this.#recordBytes -= record.bytes
      this.#records.shift()
      record = this.#records[0]
    }
    await this.#moveFinished()
    this.#notify()
  }

  deadLettered(letter: DeadLetter): void {
    const { offset } = letter.record
    const file = this.#files.find(
      ({ first, end }) => offset >= first && (end === undefined || offset < end),
    )
    if (file) file.failure ??= { code: letter.code, message: letter.message }
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    this.#watcher?.close()
    this.#stopped.resolve()
    this.#notify()
    await this.#scanning
  }

  async close(): Promise<void> {
    await this.stop()
    await this.#moves
  }

  /** Events only make it quicker: without them, or after they fail, the poll finds everything. */
  #watch(): void {
    try {
      this.#watcher = watch(this.#options.inbox, () => this.#event.resolve())
      this.#watcher.on("error", () => this.#watcher?.close())
    } catch (error) {
      this.#options.onProblem(error)
    }
  }

  async #scanUntilStopped(): Promise<void> {
    while (!this.#isStopped) {
      this.#event = Promise.withResolvers()
      await this.#scan().catch((error: unknown) => this.#options.onProblem(error))
      await this.#sleepUnless([this.#event.promise, this.#stopped.promise], this.#options.pollMs)
      await this.#sleepUnless([this.#stopped.promise], SCAN_GAP_MS)
    }
  }

  async #scan(): Promise<void> {
    const files = await listInbox(this.#options.inbox, this.#taken)
    const previous = this.#sightings
    this.#sightings = new Map()
    for (const file of files) {
      const name = file.name.toString("latin1")
      const sighting = previous.get(name)
      const isSame = sighting !== undefined && isSameFile(sighting.file.identity, file.identity)
      const sinceMs = isSame ? sighting.sinceMs : this.#options.clock.nowMs()
      this.#sightings.set(name, { file, sinceMs })
    }
    for (const [name, { file, sinceMs }] of this.#sightings) {
      if (!(await this.#isComplete(file, sinceMs))) continue
      if (!(await this.#room())) return
      this.#taken.add(name)
      await this.#read(file)
    }
  }

  async #isComplete(file: InboxFile, sinceMs: number): Promise<boolean> {
    if (!file.identity.isRegular) return true
    const settledMs = this.#options.clock.nowMs() - sinceMs
    if (settledMs >= this.#options.settleMs) return true
    return settledMs === 0 && carriesOwnDigest(file, this.#options.documentBytesMax)
  }

  async #read(file: InboxFile): Promise<void> {
    const entry: FileInFlight = {
      file,
      first: this.#nextOffset,
      end: undefined,
      failure: undefined,
    }
    this.#files.push(entry)
    try {
      await this.#readRecords(entry)
    } catch (error) {
      this.#reject(entry, error)
    }
    // A file cut short by `stop` stays in the inbox: it is read again after the next start.
    if (this.#isStopped) return
    entry.end = this.#nextOffset
    await this.#moveFinished()
  }

  #reject(entry: FileInFlight, error: unknown): void {
    if (entry.failure !== undefined) return
    entry.failure = publicError(error)
    const { code, message } = entry.failure
    this.#options.onRejected({ file: printableName(entry.file.name), code, message })
  }

  async #readRecords(entry: FileInFlight): Promise<void> {
    const { documentBytesMax, archiveBytesMax } = this.#options
    const { file } = entry
    const kind = checkEvidenceFile(file)
    const headers = { file: printableName(file.name), ...(await readEnrichment(file)) }
    if (kind !== "lines") {
      const bytesMax = kind === "archive" ? archiveBytesMax : documentBytesMax
      await this.#emit(await readWhole(file.path, bytesMax), headers)
      return
    }
    const bounds = { lineBytesMax: documentBytesMax, textBytesMax: TEXT_BYTES_MAX }
    for await (const line of readLines(file.path, bounds)) {
      if ("error" in line) this.#reject(entry, line.error)
      else if (!(await this.#emit(line.bytes, { ...headers, line: `${line.number}` }))) return
    }
  }

  /** False once stopped. */
  async #emit(value: Uint8Array, headers: Readonly<Record<string, string>>): Promise<boolean> {
    if (!(await this.#room())) return false
    const nowMs = this.#options.clock.nowMs()
    const offset = this.#nextOffset
    this.#nextOffset += 1n
    this.#records.push({ offset, bytes: value.length })
    this.#recordBytes += value.length
    const record = { ...PARTITION, offset, key: null, value, headers }
    const wantsMore = this.#listener?.record({ ...record, timestampMs: nowMs, receivedAtMs: nowMs })
    if (wantsMore === false) this.#isHeld = true
    return true
  }

  /** Waits until the engine takes more and the read-ahead has room; false once stopped. */
  async #room(): Promise<boolean> {
    while (!this.#isStopped) {
      const isFull =
        this.#recordBytes >= this.#options.readAheadBytesMax ||
        this.#files.length > FILES_IN_FLIGHT_MAX
      if (!this.#isHeld && !isFull) return true
      await this.#change.promise
    }
    return false
  }

  #moveFinished(): Promise<void> {
    this.#moves = this.#moves.then(async () => {
      for (let entry = this.#files[0]; entry; entry = this.#files[0]) {
        if (entry.end === undefined || entry.end > this.#committed) return
        this.#files.shift()
        await this.#moveAway(entry)
      }
    })
    return this.#moves
  }

  async #moveAway({ file, failure }: FileInFlight): Promise<void> {
    const name = file.name.toString("latin1")
    try {
      const present = await identify(file.path)
      if (present !== undefined && isSameFile(present, file.identity)) {
        const directory = failure === undefined ? this.#options.done : this.#options.failed
        await moveInto(directory, file, failure)
      }
      // Else it was replaced while it was read: what lies there now is new evidence.
      this.#taken.delete(name)
    } catch (error) {
      // It stays taken, so that a file that cannot be moved is not read over and over.
      this.#options.onProblem(error)
    }
  }

  #notify(): void {
    this.#change.resolve()
    this.#change = Promise.withResolvers()
  }

  async #sleepUnless(ends: readonly Promise<void>[], ms: number): Promise<void> {
    const timer = new AbortController()
    const sleep = this.#options.clock.sleep(ms, timer.signal).catch(() => undefined)
    await Promise.race([sleep, ...ends])
    timer.abort()
  }
}

async function readEnrichment(file: InboxFile): Promise<{ enrichment?: string }> {
  const path = sidecarOf(file)
  if ((await identify(path)) === undefined) return {}
  return { enrichment: (await readWhole(path, SIDECAR_BYTES_MAX)).toString() }
}
