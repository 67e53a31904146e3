import type { Page } from "../ports.ts"
import type { SimulationJob, SimulationVerdict } from "../simulation-result.ts"

export interface SimulationQuery {
  readonly eventId?: string
  /** Only results with this verdict. */
  readonly verdict?: SimulationVerdict
  readonly sinceMs?: number
  /** 1..1000 */
  readonly limit: number
  readonly cursor?: string
}

/** Simulations and their results, by id, event and time. */
export interface SimulationStore {
  /**
   * Writes the jobs, all or none; resolves once durable. One that is completed stays as it is: the
   * first result wins, so that a task that comes twice changes nothing.
   */
  put(jobs: readonly SimulationJob[]): Promise<void>
  byId(simulationId: string): SimulationJob | undefined
  /** Newest first. @throws MalformedError for a bad limit or cursor */
  query(query: SimulationQuery): Page<SimulationJob>
  count(): number
  close(): Promise<void>
}
