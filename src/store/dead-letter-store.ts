import { join } from "node:path"
import { decode, encode } from "@msgpack/msgpack"
import { MalformedError } from "../errors.ts"
import type { Clock, Page } from "../ports.ts"
import type {
  DeadLetter,
  DeadLetterQuery,
  DeadLetterSink,
  SourceRecord,
  StoredDeadLetter,
} from "../stream/types.ts"
import { scanNewestFirst } from "./index-scan.ts"
import { checkLimit, digestKey, encodeCursor, timeKey } from "./keys.ts"
import { openEnvironment, storedBytes, type Table } from "./lmdb.ts"
import { decodeRedrive, encodeRedrive, type RedriveRow, redriven, settled } from "./redrive-row.ts"
import { type Retained, sweep } from "./retention.ts"

export interface DeadLetterStore extends DeadLetterSink {
  write(letter: DeadLetter): Promise<void>
  /** Newest failure first. @throws MalformedError for a bad limit (1..1000) or cursor */
  list(query: DeadLetterQuery): Page<StoredDeadLetter>
  /** Where a listing goes on after this letter. */
  cursorAfter(letter: Pick<StoredDeadLetter, "id" | "failedAtMs">): string
  /** The letter with the original bytes. @throws MalformedError unless `id` is 64 hex digits */
  get(id: string): StoredDeadLetter | undefined
  /** The record was put back where it came from. */
  markRedriven(id: string): Promise<void>
  /** The record went through: its letter is resolved, if it was put back. */
  markDone(record: SourceRecord): Promise<void>
  count(): number
  close(): Promise<void>
}

export interface DeadLetterStoreOptions {
  /** Days since the failure; default 30. */
  readonly retentionDays?: number
  /** Bytes of data from which the oldest letters go; default 1 GiB. */
  readonly bytesMax?: number
  readonly clock?: Pick<Clock, "nowMs">
}

const DAY_MS = 86_400_000
/** Every so many writes a sweep follows; one also runs at the opening and every hour. */
const SWEEP_EVERY = 64
const SWEEP_INTERVAL_MS = 3_600_000
/** Letters that one filtered page looks at; its cursor leads on from there. */
const SCANNED_MAX = 10_000

/** Opens `dead-letters.mdb` in `directory`. A record that fails again keeps its first letter. */
export function openDeadLetterStore(
  directory: string,
  options: DeadLetterStoreOptions = {},
): DeadLetterStore {
  return new DeadLetterFile(directory, options)
}

class DeadLetterFile implements DeadLetterStore {
  readonly name = "dead_letter_store"
  readonly guarantee = "idempotent"
  readonly concurrency = 256
  readonly #environment
  readonly #letters: Table
  readonly #redrives: Table
  readonly #retained: Retained
  readonly #options: DeadLetterStoreOptions
  readonly #timer: NodeJS.Timeout
  #writes = 0
  #closed: Promise<void> | undefined
  #swept: Promise<unknown> = Promise.resolve()

  constructor(directory: string, options: DeadLetterStoreOptions) {
    this.#options = options
    this.#environment = openEnvironment(join(directory, "dead-letters.mdb"), 3)
    this.#letters = this.#environment.table("letters")
    this.#redrives = this.#environment.table("redrives")
    const byArrival = this.#environment.table("by_failure_time")
    const remove = (id: Buffer) => this.#remove(id)
    this.#retained = { environment: this.#environment, byArrival, remove }
    this.#sweepInBackground()
    this.#timer = setInterval(() => this.#sweepInBackground(), SWEEP_INTERVAL_MS)
    this.#timer.unref()
  }

  async write(letter: DeadLetter): Promise<void> {
    const id = letterKey(letter.record)
    // msgpack and not JSON: the original bytes stay bytes.
    const packed = encode(letter, { useBigInt64: true })
    const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength)
    await this.#environment.write(() => {
      if (this.#letters.doesExist(id)) return this.#settle(id, "failed_again", letter)
      const time = timeKey(letter.failedAtMs)
      void this.#retained.byArrival.put(Buffer.concat([time, id]), Buffer.alloc(0))
      void this.#letters.put(id, bytes)
    })
    this.#writes += 1
    if (this.#writes % SWEEP_EVERY === 0) this.#sweepInBackground()
  }

  list(query: DeadLetterQuery): Page<StoredDeadLetter> {
    checkLimit(query.limit)
    const found: StoredDeadLetter[] = []
    let { cursor } = query
    for (let scanned = 0; scanned < SCANNED_MAX; scanned += query.limit) {
      const page = this.#scan(query, cursor)
      const matching = page.items.filter((letter) => hasCode(letter, query.code))
      const room = query.limit - found.length
      found.push(...matching.slice(0, room))
      const last = found.at(-1)
      if (last !== undefined && matching.length > room) {
        return { items: found, cursor: this.cursorAfter(last) }
      }
      cursor = page.cursor
      if (cursor === undefined || found.length === query.limit) break
    }
    return { items: found, cursor }
  }

  cursorAfter({ failedAtMs, id }: Pick<StoredDeadLetter, "id" | "failedAtMs">): string {
    return encodeCursor(Buffer.concat([timeKey(failedAtMs), idKey(id)]))
  }

  get(id: string): StoredDeadLetter | undefined {
    const key = idKey(id)
    const value = this.#letters.get(key)
    return value && this.#decode(key, value)
  }

  async markRedriven(id: string): Promise<void> {
    const key = idKey(id)
    await this.#environment.write(() => {
      if (!this.#letters.doesExist(key)) return
      this.#putRedrive(key, redriven(this.#redrive(key), this.#nowMs()))
    })
  }

  async markDone(record: SourceRecord): Promise<void> {
    // called for every record of a source, so nothing is hashed while nothing was put back
    if ((this.#redrives.getStats() as { entryCount: number }).entryCount === 0) return
    const key = letterKey(record)
    if (!this.#redrives.doesExist(key)) return
    await this.#environment.write(() => this.#settle(key, "resolved"))
  }

  count(): number {
    return (this.#letters.getStats() as { entryCount: number }).entryCount
  }

  /** May be called again: the engine closes it, and so does whoever opened it. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#swept
    await this.#environment.close()
  }

  #scan(query: DeadLetterQuery, cursor: string | undefined): Page<StoredDeadLetter> {
    return scanNewestFirst({
      index: this.#retained.byArrival,
      prefix: Buffer.alloc(0),
      since: query.sinceMs === undefined ? Buffer.alloc(0) : timeKey(query.sinceMs),
      limit: query.limit,
      cursor,
      load: (id) => {
        const value = this.#letters.get(id)
        return value && { item: this.#decode(id, value), bytes: value.length }
      },
    })
  }

  #sweepInBackground(): void {
    const { retentionDays = 30, bytesMax = 1_073_741_824 } = this.#options
    const limits = { retentionMs: retentionDays * DAY_MS, bytesMax }
    const run = () => sweep(this.#retained, limits, this.#nowMs())
    // A failed sweep is not lost: the next one meets the same rows.
    this.#swept = this.#swept.then(run).catch(() => 0)
  }

  #remove(id: Buffer): number {
    const value = this.#letters.get(id)
    if (value === undefined) return 0
    void this.#letters.remove(id)
    void this.#redrives.remove(id)
    return storedBytes(value)
  }

  #settle(id: Buffer, state: "resolved" | "failed_again", letter?: DeadLetter): void {
    const row = settled(this.#redrive(id), state, {
      nowMs: this.#nowMs(),
      ...(letter && { letter }),
    })
    if (row !== undefined) this.#putRedrive(id, row)
  }

  #redrive(id: Buffer): RedriveRow {
    return decodeRedrive(this.#redrives.get(id))
  }

  #putRedrive(id: Buffer, row: RedriveRow): void {
    void this.#redrives.put(id, encodeRedrive(row))
  }

  #nowMs(): number {
    return this.#options.clock?.nowMs() ?? Date.now()
  }

  #decode(id: Buffer, value: Buffer): StoredDeadLetter {
    // Written by `write` above, by the owner of the file alone. msgpack gives back the small
    // offsets as bigint only because they were written as such.
    const letter = decode(value, { useBigInt64: true }) as DeadLetter
    return { ...letter, ...this.#redrive(id), id: id.toString("hex") }
  }
}

function letterKey({ topic, value }: SourceRecord): Buffer {
  return digestKey(Buffer.concat([Buffer.from(`${topic}\0`), value]))
}

function idKey(id: string): Buffer {
  if (!/^[0-9a-f]{64}$/.test(id)) throw new MalformedError("id", "64 hex digits")
  return Buffer.from(id, "hex")
}

function hasCode(letter: StoredDeadLetter, code: string | undefined): boolean {
  return code === undefined || (letter.lastFailure ?? letter).code === code
}
