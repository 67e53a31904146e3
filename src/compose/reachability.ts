import { SentinelError } from "../errors.ts"
import type { Clock, ObjectStore } from "../ports.ts"

/** A failure older than this says nothing any more: nobody has asked the system since. */
const FORGOTTEN_AFTER_MS = 60_000

/**
 * Which outside systems failed when they were last used. Nothing is asked for this alone: the work
 * itself tells, and while a system is out its work is tried again every few seconds.
 */
export class Reachability {
  readonly #clock: Pick<Clock, "nowMs">
  readonly #failedMs = new Map<string, number>()

  constructor(clock: Pick<Clock, "nowMs">) {
    this.#clock = clock
  }

  /** Passes the work on, whatever its outcome, and remembers whether `system` answered. */
  async watch<T>(system: string, work: Promise<T>): Promise<T> {
    try {
      const result = await work
      this.#failedMs.delete(system)
      return result
    } catch (error) {
      if (error instanceof SentinelError && !error.retryable) this.#failedMs.delete(system)
      else this.#failedMs.set(system, this.#clock.nowMs())
      throw error
    }
  }

  /** Names of the systems whose last use failed within the last minute. */
  unreachable(): readonly string[] {
    const since = this.#clock.nowMs() - FORGOTTEN_AFTER_MS
    return [...this.#failedMs].filter(([, atMs]) => atMs >= since).map(([system]) => system)
  }
}

/** The same object store; each answer that it gives or owes is remembered under its name. */
export function watchObjects(objects: ObjectStore, reachability: Reachability): ObjectStore {
  const watch = <T>(work: Promise<T>) => reachability.watch(`object store ${objects.name}`, work)
  return {
    name: objects.name,
    list: (bucket, prefix, options) => watch(objects.list(bucket, prefix, options)),
    get: (bucket, key, options) => watch(objects.get(bucket, key, options)),
    ping: (signal) => watch(objects.ping(signal)),
  }
}
