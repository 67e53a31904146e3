import { join } from "node:path"
import { decode, encode } from "@msgpack/msgpack"
import { MalformedError } from "../errors.ts"
import type { Clock, Page } from "../ports.ts"
import type { DeadLetter, DeadLetterSink } from "../stream/types.ts"
import { scanNewestFirst } from "./index-scan.ts"
import { checkLimit, digestKey, timeKey } from "./keys.ts"
import { openEnvironment, storedBytes, type Table } from "./lmdb.ts"
import { type Retained, sweep } from "./retention.ts"

export interface StoredDeadLetter extends DeadLetter {
  /** sha256 (hex) of the topic, a NUL and the value: one per distinct failed record. */
  readonly id: string
}

export interface DeadLetterStore extends DeadLetterSink {
  write(letter: DeadLetter): Promise<void>
  /** Newest failure first. @throws MalformedError for a bad limit (1..1000) or cursor */
  list(limit: number, cursor?: string): Page<StoredDeadLetter>
  /** The letter with the original bytes. @throws MalformedError unless `id` is 64 hex digits */
  get(id: string): StoredDeadLetter | undefined
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
  readonly #retained: Retained
  readonly #options: DeadLetterStoreOptions
  readonly #timer: NodeJS.Timeout
  #writes = 0
  #closed: Promise<void> | undefined
  #swept: Promise<unknown> = Promise.resolve()

  constructor(directory: string, options: DeadLetterStoreOptions) {
    this.#options = options
    this.#environment = openEnvironment(join(directory, "dead-letters.mdb"), 2)
    this.#letters = this.#environment.table("letters")
    const byArrival = this.#environment.table("by_failure_time")
    const remove = (id: Buffer) => this.#remove(id)
    this.#retained = { environment: this.#environment, byArrival, remove }
    this.#sweepInBackground()
    this.#timer = setInterval(() => this.#sweepInBackground(), SWEEP_INTERVAL_MS)
    this.#timer.unref()
  }

  async write(letter: DeadLetter): Promise<void> {
    const { topic, value } = letter.record
    const id = digestKey(Buffer.concat([Buffer.from(`${topic}\0`), value]))
    // msgpack and not JSON: the original bytes stay bytes.
    const packed = encode(letter, { useBigInt64: true })
    const bytes = Buffer.from(packed.buffer, packed.byteOffset, packed.byteLength)
    await this.#environment.write(() => {
      if (this.#letters.doesExist(id)) return
      const time = timeKey(letter.failedAtMs)
      void this.#retained.byArrival.put(Buffer.concat([time, id]), Buffer.alloc(0))
      void this.#letters.put(id, bytes)
    })
    this.#writes += 1
    if (this.#writes % SWEEP_EVERY === 0) this.#sweepInBackground()
  }

  list(limit: number, cursor?: string): Page<StoredDeadLetter> {
    return scanNewestFirst({
      index: this.#retained.byArrival,
      prefix: Buffer.alloc(0),
      since: Buffer.alloc(0),
      limit: checkLimit(limit),
      cursor,
      load: (id) => {
        const value = this.#letters.get(id)
        return value && { item: decodeLetter(id, value), bytes: value.length }
      },
    })
  }

  get(id: string): StoredDeadLetter | undefined {
    if (!/^[0-9a-f]{64}$/.test(id)) throw new MalformedError("id", "64 hex digits")
    const key = Buffer.from(id, "hex")
    const value = this.#letters.get(key)
    return value && decodeLetter(key, value)
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

  #sweepInBackground(): void {
    const { retentionDays = 30, bytesMax = 1_073_741_824, clock } = this.#options
    const limits = { retentionMs: retentionDays * DAY_MS, bytesMax }
    const run = () => sweep(this.#retained, limits, clock?.nowMs() ?? Date.now())
    // A failed sweep is not lost: the next one meets the same rows.
    this.#swept = this.#swept.then(run).catch(() => 0)
  }

  #remove(id: Buffer): number {
    const value = this.#letters.get(id)
    if (value === undefined) return 0
    void this.#letters.remove(id)
    return storedBytes(value)
  }
}

function decodeLetter(id: Buffer, value: Buffer): StoredDeadLetter {
  // Written by `write` above, by the owner of the file alone. msgpack gives back the small
  // offsets as bigint only because they were written as such.
  const letter = decode(value, { useBigInt64: true }) as DeadLetter
  return { ...letter, id: id.toString("hex") }
}
