import { join } from "node:path"
import { systemClock } from "../clock.ts"
import { MalformedError } from "../errors.ts"
import type { SimulationQuery, SimulationStore } from "../ports/simulation-store.ts"
import type { Clock, Page } from "../ports.ts"
import type { SimulationJob } from "../simulation-result.ts"
import { scanNewestFirst } from "./index-scan.ts"
import { checkLimit, DIGEST_BYTES, digestKey, readTime, TIME_BYTES, timeKey } from "./keys.ts"
import { countEntries, openEnvironment, storedBytes, type Table } from "./lmdb.ts"
import { Retention, type RetentionOptions } from "./retention.ts"

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
const NOTHING = Buffer.alloc(0)

/** Opens `simulation-results.mdb` in `directory`, creating it where it is missing. */
export function openSimulationStore(
  directory: string,
  options: RetentionOptions = {},
): SimulationStore {
  return new ResultFile(directory, options)
}

class ResultFile implements SimulationStore {
  readonly #environment
  /** By digest of the simulation id. */
  readonly #jobs: Table
  /** Keys: digest of the event id, time of arrival, digest. */
  readonly #byEvent: Table
  readonly #byArrival: Table
  readonly #retention: Retention
  readonly #clock: Pick<Clock, "nowMs">

  constructor(directory: string, options: RetentionOptions) {
    this.#clock = options.clock ?? systemClock
    this.#environment = openEnvironment(join(directory, "simulation-results.mdb"), 3)
    this.#jobs = this.#environment.table("jobs")
    this.#byEvent = this.#environment.table("by_event")
    this.#byArrival = this.#environment.table("by_arrival")
    const remove = (id: Buffer) => this.#remove(id)
    const rows = { environment: this.#environment, byArrival: this.#byArrival, remove }
    this.#retention = new Retention(rows, options)
  }

  async put(jobs: readonly SimulationJob[]): Promise<void> {
    if (jobs.length === 0) return
    await this.#environment.write(() => {
      for (const job of jobs) this.#putOne(job)
    })
    this.#retention.wrote()
  }

  byId(simulationId: string): SimulationJob | undefined {
    return this.#read(digestKey(simulationId))?.job
  }

  query(query: SimulationQuery): Page<SimulationJob> {
    const { eventId, sinceMs, verdict } = query
    if (sinceMs !== undefined && !Number.isFinite(sinceMs)) {
      throw new MalformedError("since", "a time")
    }
    return scanNewestFirst({
      index: eventId === undefined ? this.#byArrival : this.#byEvent,
      prefix: eventId === undefined ? NOTHING : digestKey(eventId),
      since: sinceMs === undefined ? NOTHING : timeKey(sinceMs),
      limit: checkLimit(query.limit),
      cursor: query.cursor,
      load: (id) => {
        const value = this.#jobs.get(id)
        return value && { item: decode(value).job, bytes: value.length }
      },
      isWanted: ({ result }) => verdict === undefined || result?.verdict === verdict,
    })
  }

  count(): number {
    return countEntries(this.#jobs)
  }

  close(): Promise<void> {
    return this.#retention.close()
  }

  /** A job keeps its first time and, once completed, its result. */
  #putOne(job: SimulationJob): void {
    const id = digestKey(job.simulation_id)
    const known = this.#read(id)
    if (known?.job.status === "completed") return
    const arrivalMs = known?.arrivalMs ?? this.#clock.nowMs()
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
      { index: this.#byArrival, key: Buffer.concat([time, id]) },
      { index: this.#byEvent, key: Buffer.concat([event, time, id]) },
    ]
  }

  #read(id: Buffer): Row | undefined {
    const value = this.#jobs.get(id)
    return value && decode(value)
  }
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
