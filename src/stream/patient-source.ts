import { PartitionLostError, SentinelError } from "../errors.ts"
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
  // records may come before `start` resolves: what they need is asked of the attempt under way
  let attempted: S | undefined
  let isReading = false
  let reaching: Promise<void> = Promise.resolve()

  async function reach(listener: SourceListener): Promise<void> {
    for (let attempt = 1; !stopped.signal.aborted; attempt += 1) {
      attempted = parts.create()
      try {
        await attempted.start(listener)
        isReading = true
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
      return isReading ? attempted : undefined
    },
    async start(listener) {
      reaching = reach(listener)
    },
    pause: (id: PartitionId) => attempted?.pause(id),
    resume: (id: PartitionId) => attempted?.resume(id),
    get transactional() {
      return attempted?.transactional ?? false
    },
    async commit(id, nextOffset, messages) {
      if (attempted === undefined) throw new PartitionLostError()
      await attempted.commit(id, nextOffset, messages)
    },
    async stop() {
      stopped.abort()
      await reaching
      if (isReading) await attempted?.stop()
    },
    async close() {
      if (isReading) await attempted?.close()
    },
  }
}
