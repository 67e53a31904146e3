import { join } from "node:path"
import { systemClock } from "../clock.ts"
import type {
  SimulationDepth,
  SimulationLease,
  SimulationQueue,
  SimulationTask,
} from "../ports/simulation-queue.ts"
import type { Clock } from "../ports.ts"
import { digestKey, TIME_BYTES, timeKey } from "./keys.ts"
import { countEntries, keysOf, openEnvironment, storedBytes, type Table } from "./lmdb.ts"
import { Retention, type RetentionOptions } from "./retention.ts"

/** A task, done or not, is forgotten after 7 days where nothing is said. */
export interface SimulationQueueOptions extends RetentionOptions {
  /** Tasks ready at once; beyond it the one that would be taken last goes. Default 100,000. */
  readonly tasksMax?: number
  /** Times that a task is handed out before it is dropped; default 5. */
  readonly deliveriesMax?: number
}

type Row = {
  readonly priority: number
  readonly enqueuedAtMs: number
  readonly deliveries: number
  /** Deliveries that ended in a release: they do not count against the bound. */
  readonly released?: number
} & (
  | { readonly state: "ready"; readonly task: SimulationTask }
  | { readonly state: "leased"; readonly task: SimulationTask; readonly untilMs: number }
  /** Kept without its task, so that a redelivered event is not simulated twice. */
  | { readonly state: "done" | "dropped" }
)
type Leased = Extract<Row, { state: "leased" }>

const RETENTION_DAYS = 7
const EXPIRED_MAX = 1_000
const NOTHING = Buffer.alloc(0)

/**
 * Opens `simulations.mdb` in `directory`. Leases that a crash left open come back at once: the
 * directory has one owner, so whoever held them is gone.
 */
export function openSimulationQueue(
  directory: string,
  options: SimulationQueueOptions = {},
): SimulationQueue {
  return new SimulationFile(directory, options)
}

class SimulationFile implements SimulationQueue {
  readonly #environment
  /** By digest of the event id. */
  readonly #tasks: Table
  /** Keys: 9 - priority, time of arrival, digest; in the order in which they are taken. */
  readonly #ready: Table
  /** Keys: end of the lease, digest. */
  readonly #leases: Table
  readonly #byArrival: Table
  readonly #retention: Retention
  readonly #tasksMax: number
  readonly #deliveriesMax: number
  readonly #clock: Pick<Clock, "nowMs">
  readonly #recovered: Promise<void>
  #dropped = 0

  constructor(directory: string, options: SimulationQueueOptions) {
    const { tasksMax = 100_000, deliveriesMax = 5, clock = systemClock } = options
    this.#tasksMax = tasksMax
    this.#deliveriesMax = deliveriesMax
    this.#clock = clock
    this.#environment = openEnvironment(join(directory, "simulations.mdb"), 4)
    this.#tasks = this.#environment.table("tasks")
    this.#ready = this.#environment.table("ready")
    this.#leases = this.#environment.table("leases")
    this.#byArrival = this.#environment.table("by_arrival")
    this.#recovered = this.#recover()
    this.#recovered.catch(() => undefined)
    const remove = (event: Buffer) => this.#remove(event)
    const rows = { environment: this.#environment, byArrival: this.#byArrival, remove }
    this.#retention = new Retention(rows, { retentionDays: RETENTION_DAYS, ...options })
  }

  async enqueue(task: SimulationTask): Promise<"new" | "same"> {
    const event = digestKey(task.eventId)
    const novelty = await this.#environment.write(() => this.#putIfNew(event, task))
    this.#retention.wrote()
    return novelty
  }

  async take(options: { max: number; leaseMs: number }): Promise<readonly SimulationLease[]> {
    await this.#recovered
    const nowMs = this.#clock.nowMs()
    return this.#environment.write(() => {
      this.#returnLeases(timeKey(nowMs))
      const keys = keysOf(this.#ready, { limit: Math.min(100, options.max) })
      return keys.flatMap((key) => this.#lease(key, nowMs + options.leaseMs))
    })
  }

  ack(leaseId: string): Promise<boolean> {
    return this.#end(leaseId, (event, { priority, enqueuedAtMs, deliveries }) => {
      this.#put(event, { state: "done", priority, enqueuedAtMs, deliveries })
    })
  }

  release(leaseId: string): Promise<boolean> {
    return this.#end(leaseId, (event, row) => {
      this.#giveBack(event, { ...row, released: (row.released ?? 0) + 1 })
    })
  }

  async depth(): Promise<SimulationDepth> {
    await this.#recovered
    return {
      ready: countEntries(this.#ready),
      leased: countEntries(this.#leases),
      dropped: this.#dropped,
    }
  }

  async close(): Promise<void> {
    await Promise.allSettled([this.#recovered])
    await this.#retention.close()
  }

  /** Ends with the table: each round takes its rows out of it. */
  async #recover(): Promise<void> {
    const all = Buffer.alloc(TIME_BYTES, 0xff)
    for (let returned = EXPIRED_MAX; returned === EXPIRED_MAX; ) {
      returned = await this.#environment.write(() => this.#returnLeases(all))
    }
  }

  #putIfNew(event: Buffer, task: SimulationTask): "new" | "same" {
    if (this.#tasks.doesExist(event)) return "same"
    const { priority } = task
    const enqueuedAtMs = this.#clock.nowMs()
    const row = { state: "ready", priority, enqueuedAtMs, deliveries: 0, task } as const
    void this.#byArrival.put(Buffer.concat([timeKey(enqueuedAtMs), event]), NOTHING)
    this.#putReady(event, row)
    if (countEntries(this.#ready) > this.#tasksMax) this.#dropLast()
    return "new"
  }

  #putReady(event: Buffer, row: Extract<Row, { state: "ready" }>): void {
    this.#put(event, row)
    void this.#ready.put(readyKey(event, row), NOTHING)
  }

  #dropLast(): void {
    for (const key of keysOf(this.#ready, { reverse: true, limit: 1 })) {
      void this.#ready.remove(key)
      this.#drop(key.subarray(1 + TIME_BYTES))
    }
  }

  #drop(event: Buffer): void {
    const row = this.#read(event)
    if (row === undefined) return
    const { priority, enqueuedAtMs, deliveries } = row
    this.#put(event, { state: "dropped", priority, enqueuedAtMs, deliveries })
    this.#dropped += 1
  }

  #lease(key: Buffer, untilMs: number): readonly SimulationLease[] {
    const event = key.subarray(1 + TIME_BYTES)
    const row = this.#read(event)
    void this.#ready.remove(key)
    if (row?.state !== "ready") return []
    const deliveries = row.deliveries + 1
    this.#put(event, { ...row, state: "leased", deliveries, untilMs })
    void this.#leases.put(Buffer.concat([timeKey(untilMs), event]), NOTHING)
    return [{ id: `${event.toString("hex")}.${deliveries}`, task: row.task, deliveries }]
  }

  /** @param before leases that end before this time; @returns how many came back */
  #returnLeases(before: Buffer): number {
    const keys = keysOf(this.#leases, { end: before, limit: EXPIRED_MAX })
    for (const key of keys) {
      const event = key.subarray(TIME_BYTES)
      const row = this.#read(event)
      void this.#leases.remove(key)
      if (row?.state === "leased") this.#giveBack(event, row)
    }
    return keys.length
  }

  #giveBack(event: Buffer, row: Leased): void {
    const { priority, enqueuedAtMs, deliveries, released = 0, task } = row
    if (deliveries - released >= this.#deliveriesMax) this.#drop(event)
    else
      this.#putReady(event, { state: "ready", priority, enqueuedAtMs, deliveries, released, task })
  }

  /** A lease id names its delivery, so that one that is over ends nobody else's. */
  #end(leaseId: string, end: (event: Buffer, row: Leased) => void): Promise<boolean> {
    const match = /^([0-9a-f]{64})\.(\d{1,9})$/.exec(leaseId)
    const event = Buffer.from(match?.[1] ?? "", "hex")
    return this.#environment.write(() => {
      const row = match === null ? undefined : this.#read(event)
      if (row?.state !== "leased" || row.deliveries !== Number(match?.[2])) return false
      void this.#leases.remove(Buffer.concat([timeKey(row.untilMs), event]))
      end(event, row)
      return true
    })
  }

  #remove(event: Buffer): number {
    const value = this.#tasks.get(event)
    if (value === undefined) return 0
    const row = decodeRow(value)
    if (row.state === "ready") void this.#ready.remove(readyKey(event, row))
    if (row.state === "leased") {
      void this.#leases.remove(Buffer.concat([timeKey(row.untilMs), event]))
    }
    if (row.state === "ready" || row.state === "leased") this.#dropped += 1
    void this.#tasks.remove(event)
    return storedBytes(value)
  }

  #read(event: Buffer): Row | undefined {
    const value = this.#tasks.get(event)
    return value && decodeRow(value)
  }

  #put(event: Buffer, row: Row): void {
    void this.#tasks.put(event, Buffer.from(JSON.stringify(row)))
  }
}

function readyKey(event: Buffer, { priority, enqueuedAtMs }: Row): Buffer {
  return Buffer.concat([Buffer.of(9 - priority), timeKey(enqueuedAtMs), event])
}

function decodeRow(value: Buffer): Row {
  // written by this or an earlier version, by the owner of the file alone
  return JSON.parse(value.toString()) as Row
}
