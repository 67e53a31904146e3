const WINDOW = 50
const CALLS_MIN = 10
const ERROR_RATE_MAX = 0.5
const OPEN_MS = 5_000

/**
 * Stops asking a model that keeps failing, and lets one call through after five seconds.
 *
 * Opens when at least half of the last 50 calls (10 or more) failed. Cheap enough for each call.
 */
export class CircuitBreaker {
  readonly #nowMs: () => number
  readonly #failed = new Uint8Array(WINDOW)
  #calls = 0
  #failures = 0
  #openedAtMs: number | undefined

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs
  }

  /** True while calls are to be refused. */
  get open(): boolean {
    return this.#openedAtMs !== undefined && this.#nowMs() - this.#openedAtMs < OPEN_MS
  }

  /** Share of failures among the last 50 calls, 0..1. */
  get errorRate(): number {
    return this.#calls === 0 ? 0 : this.#failures / Math.min(this.#calls, WINDOW)
  }

  succeeded(): void {
    // A trial that succeeds after the pause clears the past: the model works again.
    if (this.#openedAtMs !== undefined) this.#reset()
    this.#record(0)
  }

  failed(): void {
    this.#record(1)
    const conclusive = this.#calls >= CALLS_MIN && this.errorRate >= ERROR_RATE_MAX
    if (conclusive) this.#openedAtMs = this.#nowMs()
  }

  #record(failure: 0 | 1): void {
    const slot = this.#calls % WINDOW
    this.#failures += failure - (this.#failed[slot] ?? 0)
    this.#failed[slot] = failure
    this.#calls++
  }

  #reset(): void {
    this.#failed.fill(0)
    this.#calls = 0
    this.#failures = 0
    this.#openedAtMs = undefined
  }
}
