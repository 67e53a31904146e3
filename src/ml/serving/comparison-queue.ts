/** At most this share of a core goes into comparisons: the pause after each turn is as much longer. */
const DUTY = 0.2
/** A turn ends after the comparison in which it has taken this long. */
const TURN_MS = 1
const PAUSE_MIN_MS = 1
const WAITING_MAX = 1_024
/** Characters that may wait: bounds the memory whatever the length of the texts. */
const CHARS_MAX = 2_097_152

export interface ComparisonQueueParts<T> {
  readonly compare: (item: T) => void
  readonly charsOf: (item: T) => number
  /** Runs the action later, never at once. */
  readonly schedule: (action: () => void, delayMs: number) => void
  /** Monotonic milliseconds. */
  readonly nowMs: () => number
}

/**
 * Comparisons that wait for their turn after the answer is sent. What does not fit is skipped and
 * counted: traffic is sampled rather than held up.
 */
export class ComparisonQueue<T> {
  readonly #parts: ComparisonQueueParts<T>
  #waiting: T[] = []
  #chars = 0
  #isScheduled = false
  #skipped = 0

  constructor(parts: ComparisonQueueParts<T>) {
    this.#parts = parts
  }

  /** Comparisons that were not made because too many waited. */
  get skipped(): number {
    return this.#skipped
  }

  offer(item: T): void {
    const chars = this.#parts.charsOf(item)
    if (this.#waiting.length >= WAITING_MAX || this.#chars + chars > CHARS_MAX) {
      this.#skipped += 1
      return
    }
    this.#waiting.push(item)
    this.#chars += chars
    if (!this.#isScheduled) this.#schedule(PAUSE_MIN_MS)
  }

  #schedule(delayMs: number): void {
    this.#isScheduled = true
    this.#parts.schedule(() => this.#takeTurn(), delayMs)
  }

  #takeTurn(): void {
    const { nowMs, compare, charsOf } = this.#parts
    const startedMs = nowMs()
    let done = 0
    for (let tookMs = 0; done < this.#waiting.length && tookMs < TURN_MS; done += 1) {
      const item = this.#waiting[done] as T
      this.#chars -= charsOf(item)
      compare(item)
      tookMs = nowMs() - startedMs
    }
    this.#waiting = this.#waiting.slice(done)
    this.#isScheduled = false
    const tookMs = nowMs() - startedMs
    if (this.#waiting.length > 0) this.#schedule(Math.max(PAUSE_MIN_MS, tookMs * (1 / DUTY - 1)))
  }
}
