import { join } from "node:path"
import type { Clock } from "../ports.ts"
import { digestKey, TIME_BYTES, timeKey } from "./keys.ts"
import { countEntries, type Environment, keysOf, openEnvironment, type Table } from "./lmdb.ts"

/** A payload that was called an attack and is none, says a reviewer. */
export interface FalsePositiveReport {
  readonly payload: string
  readonly sessionId: string | undefined
  readonly originalLabel: string | undefined
  readonly notes: string | undefined
  readonly reviewer: string
  /** The model that answered it when it was reported. */
  readonly model: string
}

const REPORTS_MAX = 100_000
const NOTHING = Buffer.alloc(0)

/**
 * Reports of false positives, one for each payload and session, at most 100,000: the oldest go.
 * They are what the learning starts from, so the payload is kept whole, in a file of its owner alone.
 */
export class FalsePositiveStore {
  readonly #environment: Environment
  readonly #reports: Table
  readonly #arrivals: Table
  readonly #clock: Pick<Clock, "nowMs">
  readonly #reportsMax: number

  constructor(
    directory: string,
    { clock, reportsMax = REPORTS_MAX }: { clock: Pick<Clock, "nowMs">; reportsMax?: number },
  ) {
    this.#environment = openEnvironment(join(directory, "false-positives.mdb"), 2)
    this.#reports = this.#environment.table("reports")
    this.#arrivals = this.#environment.table("arrivals")
    this.#clock = clock
    this.#reportsMax = reportsMax
  }

  /** Resolves once durable; `same` where payload and session were reported before. @throws UnavailableError */
  add(report: FalsePositiveReport): Promise<"new" | "same"> {
    const key = keyOf(report)
    const reportedMs = this.#clock.nowMs()
    return this.#environment.write(() => {
      if (this.#reports.doesExist(key)) return "same"
      const row = { ...report, reportedMs }
      void this.#reports.put(key, Buffer.from(JSON.stringify(row)))
      void this.#arrivals.put(Buffer.concat([timeKey(reportedMs), key]), NOTHING)
      if (this.count() > this.#reportsMax) this.#dropOldest()
      return "new"
    })
  }

  has(report: Pick<FalsePositiveReport, "payload" | "sessionId">): boolean {
    return this.#reports.doesExist(keyOf(report))
  }

  count(): number {
    return countEntries(this.#reports)
  }

  close(): Promise<void> {
    return this.#environment.close()
  }

  #dropOldest(): void {
    for (const arrival of keysOf(this.#arrivals, { limit: 1 })) {
      void this.#arrivals.remove(arrival)
      void this.#reports.remove(arrival.subarray(TIME_BYTES))
    }
  }
}

function keyOf({ payload, sessionId }: Pick<FalsePositiveReport, "payload" | "sessionId">): Buffer {
  return digestKey(JSON.stringify([payload, sessionId ?? null]))
}
