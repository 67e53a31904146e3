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

  /** Resolves once inside; rejects with the signal's reason if that comes first. */
  enter(signal: AbortSignal): Promise<void> | undefined {
    signal.throwIfAborted()
    if (this.#inside < this.#limit) {
      this.#inside += 1
      return undefined
    }
    return this.#wait(signal)
  }

  leave(): void {
    const next = this.#waiting.values().next()
    if (next.done) {
      this.#inside -= 1
      return
    }
    this.#waiting.delete(next.value)
    next.value()
  }

  #wait(signal: AbortSignal): Promise<void> {
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
}
