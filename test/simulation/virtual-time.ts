import type { Clock } from "../../src/ports.ts"

interface Timer {
  readonly dueMs: number
  readonly order: number
  readonly fire: () => void
}

/** Turns of the microtask queue after which everything that needs no time has run. */
const QUIET_TURNS = 100

/** Time that moves only when nothing else can happen; timers of one instant fire in seeded order. */
export class VirtualTime implements Clock {
  #nowMs = 1_000_000
  #skewMs = 0
  #order = 0
  readonly #timers: Timer[] = []

  nowMs(): number {
    return this.#nowMs + this.#skewMs
  }

  /** A step of the wall clock: sleeps are not affected, as on a real machine. */
  jump(ms: number): void {
    this.#skewMs += ms
  }

  get elapsedMs(): number {
    return this.#nowMs - 1_000_000
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.reject(signal.reason)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const cancel = this.after(ms, resolve)
    signal?.addEventListener(
      "abort",
      () => {
        cancel()
        reject(signal.reason)
      },
      { once: true },
    )
    return promise
  }

  /** Calls `fire` once in `ms`; the answer cancels it. */
  after(ms: number, fire: () => void): () => void {
    this.#order += 1
    const timer = { dueMs: this.#nowMs + Math.max(0, ms), order: this.#order, fire }
    this.#insert(timer)
    return () => {
      const index = this.#timers.indexOf(timer)
      if (index >= 0) this.#timers.splice(index, 1)
    }
  }

  /** Runs until `met`, at most until `limitMs` of virtual time; false if that came first. */
  async runUntil(met: () => boolean, limitMs: number): Promise<boolean> {
    for (;;) {
      for (let turn = 0; turn < QUIET_TURNS; turn += 1) await undefined
      if (met()) return true
      const next = this.#timers.pop()
      if (next === undefined || next.dueMs > 1_000_000 + limitMs) return false
      this.#nowMs = Math.max(this.#nowMs, next.dueMs)
      next.fire()
    }
  }

  /** Kept sorted, the next to fire last. */
  #insert(timer: Timer): void {
    let low = 0
    let high = this.#timers.length
    while (low < high) {
      const middle = (low + high) >> 1
      const other = this.#timers[middle] as Timer
      const isLater =
        other.dueMs > timer.dueMs || (other.dueMs === timer.dueMs && other.order > timer.order)
      if (isLater) low = middle + 1
      else high = middle
    }
    this.#timers.splice(low, 0, timer)
  }
}
