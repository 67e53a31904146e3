/**
 * A counting semaphore, first come first served: at most `limit` holders at once.
 * The waiting line is bounded by the engine's limit of records in flight.
 */
export class Gate {
  readonly #limit: number
  readonly #waiting = new Set<() => void>()
  #inside = 0

  constructor(limit: number) {
    this.#limit = limit
  }

  get inside(): number {
    return this.#inside
  }

  get waiting(): number {
    return this.#waiting.size
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
      this.#waiting.delete(admit)
      reject(signal.reason)
    }
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
    this.#waiting.delete(next.value)
    next.value()
  }
}
