import { systemClock } from "../clock.ts"
import type { Clock } from "../ports.ts"
import { readTime, TIME_BYTES } from "./keys.ts"
import { type Environment, keysOf, type Table } from "./lmdb.ts"

/** How long a store keeps its rows. */
export interface RetentionOptions {
  /** Days since arrival (not event time: old evidence may be replayed); default 30. */
  readonly retentionDays?: number
  /** Bytes of data from which the oldest rows go, whatever their age; default 1 GiB. */
  readonly bytesMax?: number
  /** Writes between two sweeps; default 256. */
  readonly sweepEvery?: number
  readonly clock?: Pick<Clock, "nowMs">
}

export interface Retained {
  readonly environment: Environment
  /** Keys are time of arrival + digest, oldest first. */
  readonly byArrival: Table
  /** Removes a row and its other index entries inside a transaction; returns the bytes freed. */
  remove(digest: Buffer): number
}

const DAY_MS = 86_400_000
const SWEEP_INTERVAL_MS = 3_600_000
/** Rows that one transaction removes: it keeps the writers waiting, so it is short. */
const SWEEP_ROWS_MAX = 500
/** Sweeping a little below the cap avoids a sweep for every write that follows. */
const FILL_TARGET = 0.95

/** Sweeps a store at its opening, every hour and after every so many writes, until it is closed. */
export class Retention {
  readonly #rows: Retained
  readonly #options: Required<RetentionOptions>
  readonly #timer: NodeJS.Timeout
  #writesSinceSweep = 0
  #swept: Promise<unknown> = Promise.resolve()

  constructor(rows: Retained, options: RetentionOptions) {
    const defaults = { retentionDays: 30, bytesMax: 1_073_741_824, sweepEvery: 256 }
    this.#rows = rows
    this.#options = { ...defaults, clock: systemClock, ...options }
    this.#sweepInBackground()
    this.#timer = setInterval(() => this.#sweepInBackground(), SWEEP_INTERVAL_MS)
    this.#timer.unref()
  }

  /** To be called after each write. */
  wrote(): void {
    this.#writesSinceSweep += 1
    if (this.#writesSinceSweep >= this.#options.sweepEvery) this.#sweepInBackground()
  }

  /** Removes what is too old, then the oldest rows above the size cap; returns how many went. */
  sweep(): Promise<number> {
    this.#writesSinceSweep = 0
    // One after the other: two at once would each remove the same excess.
    const next = this.#swept.then(() => sweep(this.#rows, this.#options))
    this.#swept = next.catch(() => undefined)
    return next
  }

  /** Stops sweeping and closes the environment. May be called again. */
  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#swept
    await this.#rows.environment.close()
  }

  /** A failed sweep is not lost: the next one meets the same rows. */
  #sweepInBackground(): void {
    this.sweep().catch(() => undefined)
  }
}

async function sweep(rows: Retained, options: Required<RetentionOptions>): Promise<number> {
  const { retentionDays, bytesMax, clock } = options
  const expiredBefore = clock.nowMs() - retentionDays * DAY_MS
  let removed = 0
  // Ends with the table: every round but the last two removes SWEEP_ROWS_MAX of its rows.
  for (;;) {
    const batch = await rows.environment.write(() => removeExpired(rows, expiredBefore))
    removed += batch
    if (batch < SWEEP_ROWS_MAX) break
  }
  while (rows.environment.usedBytes() > bytesMax) {
    const excess = rows.environment.usedBytes() - bytesMax * FILL_TARGET
    const batch = await rows.environment.write(() => removeOldest(rows, excess))
    removed += batch
    if (batch === 0) break
  }
  return removed
}

function removeExpired(rows: Retained, expiredBefore: number): number {
  let removed = 0
  for (const key of oldestKeys(rows)) {
    if (readTime(key) >= expiredBefore) break
    void rows.byArrival.remove(key)
    rows.remove(key.subarray(TIME_BYTES))
    removed += 1
  }
  return removed
}

function removeOldest(rows: Retained, bytes: number): number {
  let freed = 0
  let removed = 0
  for (const key of oldestKeys(rows)) {
    if (freed >= bytes) break
    void rows.byArrival.remove(key)
    freed += rows.remove(key.subarray(TIME_BYTES))
    removed += 1
  }
  return removed
}

function oldestKeys(rows: Retained): readonly Buffer[] {
  return keysOf(rows.byArrival, { limit: SWEEP_ROWS_MAX })
}
