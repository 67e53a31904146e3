import { join } from "node:path"
import { decode, encode } from "@msgpack/msgpack"
import { systemClock } from "../clock.ts"
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
import { countEntries, openEnvironment, storedBytes, type Table } from "./lmdb.ts"
import { decodeRedrive, encodeRedrive, type RedriveRow, redriven, settled } from "./redrive-row.ts"
import { Retention, type RetentionOptions } from "./retention.ts"

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

/** Letters are large: fewer of them than of other rows go between two looks at the size. */
const SWEEP_EVERY = 64
const NOTHING = Buffer.alloc(0)

/** Opens `dead-letters.mdb` in `directory`. A record that fails again keeps its first letter. */
export function openDeadLetterStore(
  directory: string,
  options: RetentionOptions = {},
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
  readonly #byFailureTime: Table
  readonly #retention: Retention
  readonly #clock: Pick<Clock, "nowMs">

  constructor(directory: string, options: RetentionOptions) {
    this.#clock = options.clock ?? systemClock
    this.#environment = openEnvironment(join(directory, "dead-letters.mdb"), 3)
    this.#letters = this.#environment.table("letters")
    this.#redrives = this.#environment.table("redrives")
    this.#byFailureTime = this.#environment.table("by_failure_time")
    const remove = (id: Buffer) => this.#remove(id)
    const rows = { environment: this.#environment, byArrival: this.#byFailureTime, remove }
    this.#retention = new Retention(rows, { sweepEvery: SWEEP_EVERY, ...options })
  }

  async write(letter: DeadLetter): Promise<void> {
    const id = letterKey(letter.record)
    // msgpack and not JSON: the original bytes stay bytes.
    const packed = encode(letter, { useBigInt64: true })
    const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength)
    await this.#environment.write(() => {
      if (this.#letters.doesExist(id)) return this.#settle(id, "failed_again", letter)
      const time = timeKey(letter.failedAtMs)
      void this.#byFailureTime.put(Buffer.concat([time, id]), NOTHING)
      void this.#letters.put(id, bytes)
    })
    this.#retention.wrote()
  }

  list(query: DeadLetterQuery): Page<StoredDeadLetter> {
    return scanNewestFirst({
      index: this.#byFailureTime,
      prefix: NOTHING,
      since: query.sinceMs === undefined ? NOTHING : timeKey(query.sinceMs),
      limit: checkLimit(query.limit),
      cursor: query.cursor,
      load: (id) => {
        const value = this.#letters.get(id)
        return value && { item: this.#decode(id, value), bytes: value.length }
      },
      isWanted: (letter) => hasCode(letter, query.code),
    })
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
      this.#putRedrive(key, redriven(this.#redrive(key), this.#clock.nowMs()))
    })
  }

  async markDone(record: SourceRecord): Promise<void> {
    // called for every record of a source, so nothing is hashed while nothing was put back
    if (countEntries(this.#redrives) === 0) return
    const key = letterKey(record)
    if (!this.#redrives.doesExist(key)) return
    await this.#environment.write(() => this.#settle(key, "resolved"))
  }

  count(): number {
    return countEntries(this.#letters)
  }

  close(): Promise<void> {
    return this.#retention.close()
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
      nowMs: this.#clock.nowMs(),
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
