import type { Clock } from "../../src/ports.ts"

interface Timer {
  readonly dueMs: number
  readonly fire: () => void
}

/** Virtual time: it moves only when `settle` finds nothing else to do. */
export class FakeClock implements Clock {
  #nowMs: number
  readonly #timers = new Set<Timer>()
  /** Every sleep that was asked for, in order. */
  readonly sleepsMs: number[] = []

  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs
  }

  nowMs(): number {
    return this.#nowMs
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    this.sleepsMs.push(ms)
    if (signal?.aborted) return Promise.reject(signal.reason)
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    const timer = { dueMs: this.#nowMs + ms, fire: resolve }
    this.#timers.add(timer)
    signal?.addEventListener("abort", () => {
      this.#timers.delete(timer)
      reject(signal.reason)
    })
    return promise
  }

  /** Fires timers in order of time until `promise` settles; fails after `firesMax` timers. */
  async settle<T>(promise: Promise<T>, firesMax = 10_000): Promise<T> {
    let settled = false
    const mark = () => {
      settled = true
    }
    promise.then(mark, mark)
    for (let fires = 0; fires < firesMax; fires += 1) {
      await new Promise((resolve) => setImmediate(resolve))
      if (settled) return promise
      this.#fireNext()
    }
    throw new Error(`nothing settled within ${firesMax} timers`)
  }

  /** Lets everything run that needs no time. */
  async quiet(): Promise<void> {
    for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve))
  }

  #fireNext(): void {
    const [next] = [...this.#timers].sort((a, b) => a.dueMs - b.dueMs)
    if (next === undefined) return
    this.#timers.delete(next)
    this.#nowMs = Math.max(this.#nowMs, next.dueMs)
    next.fire()
  }
}
