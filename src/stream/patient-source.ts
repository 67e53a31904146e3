import { SentinelError } from "../errors.ts"
import type { Clock } from "../ports.ts"
import { backoffMs } from "./backoff.ts"
import type { PartitionId, Source, SourceListener } from "./types.ts"

const RETRY = { attemptsMax: Number.POSITIVE_INFINITY, baseMs: 500, capMs: 10_000 }

export interface PatientSource<S extends Source> extends Source {
  /** The source once it reads; undefined while it is still being reached. */
  readonly inner: S | undefined
}

export interface PatientParts<S extends Source> {
  readonly name: string
  /** A fresh source for each attempt: one that failed to start is spent. */
  readonly create: () => S
  readonly clock: Clock
  readonly random: () => number
  /** Called for each attempt that failed, with what will be waited. */
  readonly onWaiting: (error: SentinelError, waitMs: number) => void
}

/**
 * A source whose outside system may not be there yet: `start` resolves at once, and reaching it is
 * tried until it succeeds or the source is stopped. What no waiting mends goes to `failed`.
 */
export function patientSource<S extends Source>(parts: PatientParts<S>): PatientSource<S> {
  const stopped = new AbortController()
  let inner: S | undefined
  let reaching: Promise<void> = Promise.resolve()

  async function reach(listener: SourceListener): Promise<void> {
    for (let attempt = 1; !stopped.signal.aborted; attempt += 1) {
      const source = parts.create()
      try {
        await source.start(listener)
        inner = source
        return
      } catch (error) {
        if (!(error instanceof SentinelError) || !error.retryable) return listener.failed(error)
        const waitMs = backoffMs(attempt, RETRY, parts.random)
        parts.onWaiting(error, waitMs)
        await parts.clock.sleep(waitMs, stopped.signal).catch(() => undefined)
      }
    }
  }

  return {
    name: parts.name,
    get inner() {
      return inner
    },
    async start(listener) {
      reaching = reach(listener)
    },
    pause: (id: PartitionId) => inner?.pause(id),
    resume: (id: PartitionId) => inner?.resume(id),
    get transactional() {
      return inner?.transactional ?? false
    },
    commit: async (id, nextOffset, messages) => inner?.commit(id, nextOffset, messages),
    async stop() {
      stopped.abort()
      await reaching
      await inner?.stop()
    },
    async close() {
      await inner?.close()
    },
  }
}
