export interface RetryPolicy {
  /** Tries in all, the first included; >= 1. Infinity only where giving up would lose data. */
  readonly attemptsMax: number
  readonly baseMs: number
  readonly capMs: number
  /**
   * While an outside system is unavailable, tries go on for this long after the first failure, however
   * many they are: an outage is no fault of the record. Default 0.
   */
  readonly outageMs?: number
}

export const DEFAULT_RETRY: RetryPolicy = {
  attemptsMax: 8,
  baseMs: 100,
  // An outage ends at any moment: with every record asleep for up to the cap, the watermark stands
  // for as long after it, and a rebalance meanwhile hands all of that over again. Two seconds between
  // the tries of one record are still little for a system that comes back.
  capMs: 2_000,
  outageMs: 15 * 60_000,
}

/**
 * Exponential backoff with full jitter: uniform in [0, min(cap, base * 2^(attempt - 1))].
 *
 * @param attempt the try that just failed, from 1
 * @param random uniform in [0, 1)
 * @see https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 */
export function backoffMs(attempt: number, policy: RetryPolicy, random: () => number): number {
  const ceilingMs = Math.min(policy.capMs, policy.baseMs * 2 ** Math.min(attempt - 1, 30))
  return Math.floor(random() * ceilingMs)
}
