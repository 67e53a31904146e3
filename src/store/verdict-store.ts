import { join } from "node:path"
import { EventIdConflictError, MalformedError, TooLargeError } from "../errors.ts"
import type { ExplainedVerdict } from "../events.ts"
import type { Clock, Novelty, Page, VerdictQuery, VerdictStore } from "../ports.ts"
import { scanNewestFirst } from "./index-scan.ts"
import { checkLimit, digestKey, timeKey } from "./keys.ts"
import { openEnvironment, storedBytes, type Table } from "./lmdb.ts"
import { type Retained, sweep } from "./retention.ts"
import { decodeVerdict, encodeVerdict, readVerdictRow, type VerdictRow } from "./verdict-row.ts"

export interface VerdictStoreOptions {
  /** Days since arrival (not event time: old evidence may be replayed); default 30. */
  readonly retentionDays?: number
  /** Bytes of data from which the oldest verdicts go; default 2 GiB. */
  readonly bytesMax?: number
  readonly clock?: Pick<Clock, "nowMs">
}

/** The store on LMDB, with what only its owner calls. */
export interface LmdbVerdictStore extends VerdictStore {
  /** Writes the verdict, or answers with the one already held: a redelivery changes nothing. */
  record(verdict: ExplainedVerdict): Promise<ExplainedVerdict>
  /** Applies retention and the size cap now; returns how many verdicts went. */
  sweep(): Promise<number>
}

const DAY_MS = 86_400_000
const VERDICT_BYTES_MAX = 16 * 1_048_576
/** Every so many writes a sweep follows; one also runs at the opening and every hour. */
const SWEEP_EVERY = 256
const SWEEP_INTERVAL_MS = 3_600_000

/**
 * Opens `verdicts.mdb` in `directory`, creating it where it is missing; queries answer newest
 * event time first.
 */
export function openVerdictStore(
  directory: string,
  options: VerdictStoreOptions = {},
): LmdbVerdictStore {
  return new VerdictFile(directory, options)
}

class VerdictFile implements LmdbVerdictStore {
  readonly #environment
  readonly #verdicts: Table
  readonly #bySession: Table
  readonly #byTime: Table
  readonly #retained: Retained
  readonly #options: Required<VerdictStoreOptions>
  readonly #timer: NodeJS.Timeout
  #writesSinceSweep = 0
  #swept: Promise<number> = Promise.resolve(0)

  constructor(directory: string, options: VerdictStoreOptions) {
    this.#options = {
      retentionDays: options.retentionDays ?? 30,
      bytesMax: options.bytesMax ?? 2 * 1_073_741_824,
      clock: options.clock ?? { nowMs: Date.now },
    }
    this.#environment = openEnvironment(join(directory, "verdicts.mdb"), 4)
    this.#verdicts = this.#environment.table("verdicts")
    this.#bySession = this.#environment.table("by_session")
    this.#byTime = this.#environment.table("by_event_time")
    const byArrival = this.#environment.table("by_arrival")
    const remove = (event: Buffer) => this.#remove(event)
    this.#retained = { environment: this.#environment, byArrival, remove }
    this.#sweepInBackground()
    this.#timer = setInterval(() => this.#sweepInBackground(), SWEEP_INTERVAL_MS)
    this.#timer.unref()
  }

  async put(verdict: ExplainedVerdict): Promise<Novelty> {
    const event = digestKey(verdict.verdict.event_id)
    const value = encodeVerdict(verdict, this.#options.clock.nowMs())
    if (value.length > VERDICT_BYTES_MAX) throw new TooLargeError("verdict", VERDICT_BYTES_MAX)
    const novelty = await this.#environment.write(() => this.#putIfNew(event, value))
    if (novelty === "conflict") throw new EventIdConflictError()
    this.#writesSinceSweep += 1
    if (this.#writesSinceSweep >= SWEEP_EVERY) this.#sweepInBackground()
    return novelty
  }

  async record(verdict: ExplainedVerdict): Promise<ExplainedVerdict> {
    const novelty = await this.put(verdict)
    if (novelty === "new") return verdict
    return this.byEvent(verdict.verdict.event_id) ?? verdict
  }

  novelty(eventId: string, idempotencyKey: string): Novelty {
    return this.#novelty(digestKey(eventId), digestKey(idempotencyKey))
  }

  byEvent(eventId: string): ExplainedVerdict | undefined {
    const value = this.#verdicts.get(digestKey(eventId))
    return value === undefined ? undefined : decodeVerdict(value)
  }

  query(query: VerdictQuery): Page<ExplainedVerdict> {
    const { sessionId, sinceMs } = query
    if (sinceMs !== undefined && !Number.isFinite(sinceMs)) {
      throw new MalformedError("since", "a time")
    }
    return scanNewestFirst({
      index: sessionId === undefined ? this.#byTime : this.#bySession,
      prefix: sessionId === undefined ? Buffer.alloc(0) : digestKey(sessionId),
      since: sinceMs === undefined ? Buffer.alloc(0) : timeKey(sinceMs),
      limit: checkLimit(query.limit),
      cursor: query.cursor,
      load: (event) => {
        const value = this.#verdicts.get(event)
        return value && { item: decodeVerdict(value), bytes: value.length }
      },
    })
  }

  count(): number {
    return (this.#verdicts.getStats() as { entryCount: number }).entryCount
  }

  sweep(): Promise<number> {
    this.#writesSinceSweep = 0
    const { retentionDays, bytesMax, clock } = this.#options
    const options = { retentionMs: retentionDays * DAY_MS, bytesMax }
    // One after the other: two at once would each remove the same excess.
    const next = this.#swept.then(() => sweep(this.#retained, options, clock.nowMs()))
    this.#swept = next.catch(() => 0)
    return next
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#swept
    await this.#environment.close()
  }

  /** A failed sweep is not lost: the next one meets the same rows. */
  #sweepInBackground(): void {
    this.sweep().catch(() => 0)
  }

  #novelty(event: Buffer, idempotency: Buffer): Novelty {
    const held = this.#verdicts.get(event)
    if (held === undefined) return "new"
    return readVerdictRow(held).idempotency.equals(idempotency) ? "same" : "conflict"
  }

  #putIfNew(event: Buffer, value: Buffer): Novelty {
    const row = readVerdictRow(value)
    const novelty = this.#novelty(event, row.idempotency)
    if (novelty !== "new") return novelty
    const none = Buffer.alloc(0)
    for (const { index, key } of this.#indexEntries(event, row)) void index.put(key, none)
    void this.#verdicts.put(event, value)
    return novelty
  }

  #remove(event: Buffer): number {
    const value = this.#verdicts.get(event)
    if (value === undefined) return 0
    for (const { index, key } of this.#indexEntries(event, readVerdictRow(value))) {
      void index.remove(key)
    }
    void this.#verdicts.remove(event)
    return storedBytes(value)
  }

  #indexEntries(event: Buffer, row: VerdictRow): readonly { index: Table; key: Buffer }[] {
    const time = timeKey(row.eventTimeMs)
    return [
      { index: this.#byTime, key: Buffer.concat([time, event]) },
      { index: this.#bySession, key: Buffer.concat([row.session, time, event]) },
      { index: this.#retained.byArrival, key: Buffer.concat([timeKey(row.arrivalMs), event]) },
    ]
  }
}
