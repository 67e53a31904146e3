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
