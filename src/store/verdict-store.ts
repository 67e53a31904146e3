import { join } from "node:path"
import { systemClock } from "../clock.ts"
import { EventIdConflictError, MalformedError, TooLargeError } from "../errors.ts"
import type { ExplainedVerdict } from "../events.ts"
import type { Clock, Novelty, Page, VerdictQuery, VerdictStore } from "../ports.ts"
import { scanNewestFirst } from "./index-scan.ts"
import { checkLimit, digestKey, timeKey } from "./keys.ts"
import { countEntries, openEnvironment, storedBytes, type Table } from "./lmdb.ts"
import { Retention, type RetentionOptions } from "./retention.ts"
import { decodeVerdict, encodeVerdict, readVerdictRow, type VerdictRow } from "./verdict-row.ts"

/** The store on LMDB, with what only its owner calls. */
export interface LmdbVerdictStore extends VerdictStore {
  /** Writes the verdict, or answers with the one already held: a redelivery changes nothing. */
  record(verdict: ExplainedVerdict): Promise<ExplainedVerdict>
  /** Applies retention and the size cap now; returns how many verdicts went. */
  sweep(): Promise<number>
}

const VERDICT_BYTES_MAX = 16 * 1_048_576
const BYTES_MAX = 2 * 1_073_741_824

/**
 * Opens `verdicts.mdb` in `directory`, creating it where it is missing; `bytesMax` is 2 GiB where
 * nothing is said. Queries answer newest event time first.
 */
export function openVerdictStore(
  directory: string,
  options: RetentionOptions = {},
): LmdbVerdictStore {
  return new VerdictFile(directory, options)
}

class VerdictFile implements LmdbVerdictStore {
  readonly #environment
  readonly #verdicts: Table
  readonly #bySession: Table
  readonly #byTime: Table
  readonly #byArrival: Table
  readonly #retention: Retention
  readonly #clock: Pick<Clock, "nowMs">

  constructor(directory: string, options: RetentionOptions) {
    this.#clock = options.clock ?? systemClock
    this.#environment = openEnvironment(join(directory, "verdicts.mdb"), 4)
    this.#verdicts = this.#environment.table("verdicts")
    this.#bySession = this.#environment.table("by_session")
    this.#byTime = this.#environment.table("by_event_time")
    this.#byArrival = this.#environment.table("by_arrival")
    const remove = (event: Buffer) => this.#remove(event)
    const rows = { environment: this.#environment, byArrival: this.#byArrival, remove }
    this.#retention = new Retention(rows, { bytesMax: BYTES_MAX, ...options })
  }

  async put(verdict: ExplainedVerdict): Promise<Novelty> {
    const event = digestKey(verdict.verdict.event_id)
    const value = encodeVerdict(verdict, this.#clock.nowMs())
    if (value.length > VERDICT_BYTES_MAX) throw new TooLargeError("verdict", VERDICT_BYTES_MAX)
    const novelty = await this.#environment.write(() => this.#putIfNew(event, value))
    if (novelty === "conflict") throw new EventIdConflictError()
    this.#retention.wrote()
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
    return countEntries(this.#verdicts)
  }

  sweep(): Promise<number> {
    return this.#retention.sweep()
  }

  close(): Promise<void> {
    return this.#retention.close()
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
      { index: this.#byArrival, key: Buffer.concat([timeKey(row.arrivalMs), event]) },
    ]
  }
}
