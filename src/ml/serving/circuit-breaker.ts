const WINDOW = 50
const CALLS_MIN = 10
const FAILED_SHARE_MAX = 0.5
const OPEN_MS = 5_000
const TRIALS_TO_CLOSE = 3
/** A call takes some 10 microseconds: one that takes this long is as good as failed. */
export const SLOW_CALL_MS = 50

export type BreakerState = "closed" | "half-open" | "open"

/**
 * Stops asking a model that keeps failing or keeps being slow, and tries it again after five seconds.
 *
 * Closed, it opens when at least half of the last 50 calls (10 or more) failed or took 50 ms. Open, it
 * lets nothing through for five seconds. Half open, three calls in a row that are well close it, and
 * one that is not opens it again. While closed, asking it costs one comparison.
 */
export class CircuitBreaker {
  readonly #nowMs: () => number
  readonly #failed = new Uint8Array(WINDOW)
  #calls = 0
  #failures = 0
  #openedAtMs: number | undefined
  #trials = 0

  /** @param nowMs monotonic milliseconds */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  get state(): BreakerState {
    if (this.#openedAtMs === undefined) return "closed"
    return this.#nowMs() - this.#openedAtMs < OPEN_MS ? "open" : "half-open"
  }

  /** Whether the model may be asked. */
  get lets(): boolean {
    return this.#openedAtMs === undefined || this.state === "half-open"
  }

  /** Share of failed and slow calls among the last 50, 0..1. */
  get errorRate(): number {
    return this.#calls === 0 ? 0 : this.#failures / Math.min(this.#calls, WINDOW)
  }

  /** @param elapsedMs how long the model took */
  succeeded(elapsedMs: number): void {
    if (elapsedMs >= SLOW_CALL_MS) this.failed()
    else if (this.#openedAtMs === undefined) this.#record(0)
    else this.#tried()
  }

  failed(): void {
    this.#record(1)
    this.#trials = 0
    if (this.#openedAtMs !== undefined) this.#openedAtMs = this.#nowMs()
    const isConclusive = this.#calls >= CALLS_MIN && this.errorRate >= FAILED_SHARE_MAX
    if (isConclusive) this.#openedAtMs = this.#nowMs()
  }

  #tried(): void {
    this.#trials += 1
    if (this.#trials >= TRIALS_TO_CLOSE) this.#close()
  }

  #record(failure: 0 | 1): void {
    const slot = this.#calls % WINDOW
    this.#failures += failure - (this.#failed[slot] ?? 0)
    this.#failed[slot] = failure
    this.#calls++
  }

  /** What was before says nothing of a model that works again. */
  #close(): void {
    this.#failed.fill(0)
    this.#calls = 0
    this.#failures = 0
    this.#trials = 0
    this.#openedAtMs = undefined
  }
}
