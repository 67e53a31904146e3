import type { Clock } from "./ports.ts"

/** The machine's own time. Everything else takes a Clock, so that tests can turn it. */
export const systemClock: Clock = {
  nowMs: () => Date.now(),
  sleep(ms, signal) {
    if (signal?.aborted) return Promise.reject(signal.reason)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const giveUp = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", giveUp)
      resolve()
    }, ms)
    signal?.addEventListener("abort", giveUp, { once: true })
    return promise
  },
}

/** Milliseconds, of the machine's own time where no clock is given. */
export type Deadline = number | { readonly ms: number; readonly clock: Clock }

/**
 * What `work` comes to, or what `late` gives or throws where that takes longer. The work itself goes on,
 * and should end by a signal of its own where that matters.
 */
export async function withDeadline<T, Late>(
  deadline: Deadline,
  work: Promise<T>,
  late: () => Late,
): Promise<T | Late> {
  const { ms, clock } =
    typeof deadline === "number" ? { ms: deadline, clock: systemClock } : deadline
  const settled = new AbortController()
  const expiry = clock.sleep(ms, settled.signal).then(late)
  try {
    return await Promise.race([work, expiry])
  } finally {
    settled.abort()
  }
}
