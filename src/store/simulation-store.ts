import { join } from "node:path"
import { MalformedError } from "../errors.ts"
import type { SimulationQuery, SimulationStore } from "../ports/simulation-store.ts"
import type { Clock, Page } from "../ports.ts"
import type { SimulationJob } from "../simulation-result.ts"
import { scanNewestFirst } from "./index-scan.ts"
import { checkLimit, DIGEST_BYTES, digestKey, readTime, TIME_BYTES, timeKey } from "./keys.ts"
import { openEnvironment, storedBytes, type Table } from "./lmdb.ts"
import { type Retained, sweep } from "./retention.ts"

export interface SimulationStoreOptions {
  /** Days since a simulation was queued; default 30. */
  readonly retentionDays?: number
  /** Bytes of data from which the oldest simulations go; default 1 GiB. */
  readonly bytesMax?: number
  readonly clock?: Pick<Clock, "nowMs">
}

/**
 * A stored simulation: time of arrival, sha256 of the event id (of the simulation's own where it has
 * none), then the job as JSON.
 */
interface Row {
  readonly arrivalMs: number
  readonly event: Buffer
  readonly job: SimulationJob
}

const EVENT_AT = TIME_BYTES
const JSON_AT = TIME_BYTES + DIGEST_BYTES
const DAY_MS = 86_400_000
const SWEEP_EVERY = 256
const SWEEP_INTERVAL_MS = 3_600_000
const NOTHING = Buffer.alloc(0)
/** Entries that one filtered page looks at. */
const SCANNED_MAX = 10_000

/** Opens `simulation-results.mdb` in `directory`, creating it where it is missing. */
export function openSimulationStore(
  directory: string,
  options: SimulationStoreOptions = {},
): SimulationStore {
  return new ResultFile(directory, options)
}

class ResultFile implements SimulationStore {
  readonly #environment
  /** By digest of the simulation id. */
  readonly #jobs: Table
  /** Keys: digest of the event id, time of arrival, digest. */
  readonly #byEvent: Table
  readonly #retained: Retained
  readonly #options: Required<SimulationStoreOptions>
  readonly #timer: NodeJS.Timeout
  #writes = 0
  #swept: Promise<unknown> = Promise.resolve()
  #closed: Promise<void> | undefined

  constructor(directory: string, options: SimulationStoreOptions) {
    this.#options = {
      ...{ retentionDays: 30, bytesMax: 1_073_741_824, clock: { nowMs: Date.now } },
      ...options,
    }
    this.#environment = openEnvironment(join(directory, "simulation-results.mdb"), 3)
    this.#jobs = this.#environment.table("jobs")
    this.#byEvent = this.#environment.table("by_event")
    const byArrival = this.#environment.table("by_arrival")
    const remove = (id: Buffer) => this.#remove(id)
    this.#retained = { environment: this.#environment, byArrival, remove }
    this.#sweepInBackground()
    this.#timer = setInterval(() => this.#sweepInBackground(), SWEEP_INTERVAL_MS)
    this.#timer.unref()
  }

  async put(jobs: readonly SimulationJob[]): Promise<void> {
    if (jobs.length === 0) return
    await this.#environment.write(() => {
      for (const job of jobs) this.#putOne(job)
    })
    this.#writes += 1
    if (this.#writes % SWEEP_EVERY === 0) this.#sweepInBackground()
  }

  byId(simulationId: string): SimulationJob | undefined {
    return this.#read(digestKey(simulationId))?.job
  }

  query(query: SimulationQuery): Page<SimulationJob> {
    const { eventId, sinceMs, verdict } = query
    if (sinceMs !== undefined && !Number.isFinite(sinceMs)) {
      throw new MalformedError("since", "a time")
    }
    const scan = {
      index: eventId === undefined ? this.#retained.byArrival : this.#byEvent,
      prefix: eventId === undefined ? NOTHING : digestKey(eventId),
      since: sinceMs === undefined ? NOTHING : timeKey(sinceMs),
      load: (id: Buffer) => {
        const value = this.#jobs.get(id)
        return value && { item: decode(value).job, bytes: value.length }
      },
    }
    const limit = checkLimit(query.limit)
    const items: SimulationJob[] = []
    let { cursor } = query
    // Ends with the index, the page, or SCANNED_MAX: a rare verdict costs several pages.
    for (let scanned = 0; scanned < SCANNED_MAX; scanned += limit) {
      const page = scanNewestFirst({ ...scan, limit: limit - items.length, cursor })
      items.push(...page.items.filter((job) => isWanted(job, verdict)))
      cursor = page.cursor
      if (cursor === undefined || items.length === limit) break
    }
    return { items, cursor }
  }

  count(): number {
    return (this.#jobs.getStats() as { entryCount: number }).entryCount
  }

  /** May be called again: the flow closes it, and so does whoever opened it. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    clearInterval(this.#timer)
    await this.#swept
    await this.#environment.close()
  }

  /** A job keeps its first time and, once completed, its result. */
  #putOne(job: SimulationJob): void {
    const id = digestKey(job.simulation_id)
    const known = this.#read(id)
    if (known?.job.status === "completed") return
    const arrivalMs = known?.arrivalMs ?? this.#options.clock.nowMs()
    const event = digestKey(job.event_id ?? job.simulation_id)
    const queued = known === undefined ? {} : { queued_at: known.job.queued_at }
    const row = { arrivalMs, event, job: { ...job, ...queued } }
    for (const { index, key } of this.#indexEntries(id, row)) void index.put(key, NOTHING)
    void this.#jobs.put(id, encode(row))
  }

  #remove(id: Buffer): number {
    const value = this.#jobs.get(id)
    if (value === undefined) return 0
    for (const { index, key } of this.#indexEntries(id, decode(value))) void index.remove(key)
    void this.#jobs.remove(id)
    return storedBytes(value)
  }

  #indexEntries(id: Buffer, { arrivalMs, event }: Row): readonly { index: Table; key: Buffer }[] {
    const time = timeKey(arrivalMs)
    return [
      { index: this.#retained.byArrival, key: Buffer.concat([time, id]) },
      { index: this.#byEvent, key: Buffer.concat([event, time, id]) },
    ]
  }

  #read(id: Buffer): Row | undefined {
    const value = this.#jobs.get(id)
    return value && decode(value)
  }

  #sweepInBackground(): void {
    const { retentionDays, bytesMax, clock } = this.#options
    const limits = { retentionMs: retentionDays * DAY_MS, bytesMax }
    const run = () => sweep(this.#retained, limits, clock.nowMs())
    // A failed sweep is not lost: the next one meets the same rows.
    this.#swept = this.#swept.then(run).catch(() => 0)
  }
}

function isWanted({ result }: SimulationJob, verdict: SimulationQuery["verdict"]): boolean {
  return verdict === undefined || result?.verdict === verdict
}

function encode({ arrivalMs, event, job }: Row): Buffer {
  return Buffer.concat([timeKey(arrivalMs), event, Buffer.from(JSON.stringify(job))])
}

function decode(value: Buffer): Row {
  return {
    arrivalMs: readTime(value),
    event: Buffer.from(value.subarray(EVENT_AT, JSON_AT)),
    // written by this or an earlier version, by the owner of the file alone
    job: JSON.parse(value.toString("utf8", JSON_AT)) as SimulationJob,
  }
}
