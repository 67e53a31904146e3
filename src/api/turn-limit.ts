/** A turn of the event loop that takes longer makes everybody wait: some 300 requests fit into it. */
const TURN_MS = 5
/** For so long turns may be longer, one after the other: a burst is let through. */
const BURST_MS = 100

export interface TurnClock {
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
  /** Calls back once all requests that are ready now have been taken up. */
  readonly afterTurn: (callback: () => void) => void
}

/**
 * Says which requests are too many, by how long the event loop takes for those that are ready at once:
 * that is how long each of them waits, wherever its time went. In the manner of CoDel, nothing is
 * refused while single turns are long; when they have been so for 100 ms, each turn takes up what fits
 * into its 5 ms, and the rest is refused until a turn keeps to them by itself.
 *
 * @see https://queue.acm.org/detail.cfm?id=2209336
 */
export class TurnLimit {
  readonly #clock: TurnClock
  #turnStartedMs: number | undefined
  #longSinceMs: number | undefined
  #refused = 0

  constructor(clock: TurnClock = eventLoopClock) {
    this.#clock = clock
  }

  /** Asked once for each request, when it is taken up. */
  admits(): boolean {
    const nowMs = this.#clock.nowMs()
    const startedMs = this.#turnStartedMs ?? this.#beginTurn(nowMs)
    const isOverloaded = this.#longSinceMs !== undefined && nowMs - this.#longSinceMs >= BURST_MS
    if (!isOverloaded || nowMs - startedMs < TURN_MS) return true
    this.#refused += 1
    return false
  }

  #beginTurn(nowMs: number): number {
    this.#turnStartedMs = nowMs
    this.#refused = 0
    this.#clock.afterTurn(() => this.#endTurn(nowMs))
    return nowMs
  }

  #endTurn(startedMs: number): void {
    this.#turnStartedMs = undefined
    const isLong = this.#refused > 0 || this.#clock.nowMs() - startedMs >= TURN_MS
    if (isLong) this.#longSinceMs ??= startedMs
    else this.#longSinceMs = undefined
  }
}

const eventLoopClock: TurnClock = {
  nowMs: () => performance.now(),
  afterTurn: (callback) => void setImmediate(callback),
}
