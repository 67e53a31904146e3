/**
 * A counting semaphore, first come first served: at most `limit` holders at once.
 * The waiting line is bounded by the engine's limit of records in flight.
 */
export class Gate {
  readonly #limit: number
  readonly #waiting = new Set<() => void>()
  #inside = 0
  #waitedMs = 0
  #waitingSinceMs = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  get inside(): number {
    return this.#inside
  }

  get waiting(): number {
    return this.#waiting.size
  }

  /** How long, since the beginning, somebody has been waiting; milliseconds. */
  get waitedMs(): number {
    const openMs = this.#waiting.size > 0 ? performance.now() - this.#waitingSinceMs : 0
    return this.#waitedMs + openMs
  }

  /** True and inside, or false: nobody who waits is overtaken. */
  tryEnter(): boolean {
    if (this.#inside >= this.#limit) return false
    this.#inside += 1
    return true
  }

  /** Resolves once inside; rejects with the signal's reason if that comes first. */
  enter(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return Promise.reject(signal.reason)
    if (this.tryEnter()) return Promise.resolve()
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const admit = () => {
      signal.removeEventListener("abort", giveUp)
      resolve()
    }
    const giveUp = () => {
      this.#stopWaiting(admit)
      reject(signal.reason)
    }
    if (this.#waiting.size === 0) this.#waitingSinceMs = performance.now()
    this.#waiting.add(admit)
    signal.addEventListener("abort", giveUp, { once: true })
    return promise
  }

  /** The place goes to the first who waits, if anybody does. */
  leave(): void {
    const next = this.#waiting.values().next()
    if (next.done) {
      this.#inside -= 1
      return
    }
    this.#stopWaiting(next.value)
    next.value()
  }

  #stopWaiting(waiter: () => void): void {
    const waited = this.#waiting.delete(waiter)
    if (!waited || this.#waiting.size > 0) return
    this.#waitedMs += performance.now() - this.#waitingSinceMs
  }
}
