const WITHIN_MS = 600_000
const PAUSE_MS_MAX = 50

type Answer<T> = T | undefined | false

/**
 * Asks again and again, with pauses that grow from 1 to 50 ms: for what another process or a real
 * service does in its own time. The test's own timeout is the usual bound.
 * @returns the first answer that is neither undefined nor false
 * @throws Error after ten minutes
 */
export async function until<T>(ask: () => Answer<T> | Promise<Answer<T>>): Promise<T> {
  const deadlineMs = performance.now() + WITHIN_MS
  for (let pauseMs = 1; performance.now() < deadlineMs; pauseMs *= 2) {
    const answer = await ask()
    if (answer !== undefined && answer !== false) return answer
    await Bun.sleep(Math.min(pauseMs, PAUSE_MS_MAX))
  }
  throw new Error("nothing came within ten minutes")
}
