/** A turn of the event loop that computes longer makes everybody wait: 100 to 300 requests fit into it. */
const TURN_MS = 5
/** For so long turns may be longer, one after the other: a burst is let through. */
const BURST_MS = 100

export interface TurnClock {
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
  /** Milliseconds that this thread has computed. To ask costs a microsecond. */
  readonly computedMs: () => number
  /** Calls back once all requests that are ready now have been taken up. */
  readonly afterTurn: (callback: () => void) => void
}

interface Turn {
  readonly startedMs: number
  /** undefined where the turn before was short. */
  readonly computedMs: number | undefined
}

/**
 * Says which requests are too many, by how long the event loop takes for those that are ready at once:
 * that is how long each of them waits. In the manner of CoDel, nothing is refused while single turns
 * are long; when they have been so for 100 ms, each turn takes up what fits into its 5 ms, and the
 * rest is refused until a turn keeps to them by itself.
 *
 * What counts is the time that the thread computed: a turn is long as well when the core was given to
 * another process meanwhile, but to refuse requests then makes no answer faster.
 *
 * @see https://queue.acm.org/detail.cfm?id=2209336
 */
export class TurnLimit {
  readonly #clock: TurnClock
  #turn: Turn | undefined
  #longSinceMs: number | undefined
  #refused = 0

  constructor(clock: TurnClock = eventLoopClock) {
    this.#clock = clock
  }

  /** Asked once for each request, when it is taken up. */
  admits(): boolean {
    const nowMs = this.#clock.nowMs()
    const turn = this.#turn ?? this.#beginTurn(nowMs)
    const isOverloaded = this.#longSinceMs !== undefined && nowMs - this.#longSinceMs >= BURST_MS
    if (!isOverloaded || (this.#refused === 0 && !this.#isLong(turn, nowMs))) return true
    this.#refused += 1
    return false
  }

  #beginTurn(startedMs: number): Turn {
    const isSuspect = this.#longSinceMs !== undefined
    const turn = { startedMs, computedMs: isSuspect ? this.#clock.computedMs() : undefined }
    this.#turn = turn
    this.#refused = 0
    this.#clock.afterTurn(() => this.#endTurn(turn))
    return turn
  }

  #endTurn(turn: Turn): void {
    this.#turn = undefined
    const isLong = this.#refused > 0 || this.#isLong(turn, this.#clock.nowMs())
    if (isLong) this.#longSinceMs ??= turn.startedMs
    else this.#longSinceMs = undefined
  }

  /** The dear clock is asked only where the cheap one says that it may be so. */
  #isLong({ startedMs, computedMs }: Turn, nowMs: number): boolean {
    if (nowMs - startedMs < TURN_MS) return false
    return computedMs === undefined || this.#clock.computedMs() - computedMs >= TURN_MS
  }
}

const eventLoopClock: TurnClock = {
  nowMs: () => performance.now(),
  computedMs() {
    const { user, system } = process.threadCpuUsage()
    return (user + system) / 1_000
  },
  afterTurn: (callback) => void setImmediate(callback),
}
