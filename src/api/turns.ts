const TURN_MS = 1

/** Long work in turns of about a millisecond, between which the requests of others are served. */
export class Turns {
  #startedMs = performance.now()

  /** To be awaited between two pieces of the work. */
  async pause(): Promise<void> {
    if (performance.now() - this.#startedMs < TURN_MS) return
    await new Promise(setImmediate)
    this.#startedMs = performance.now()
  }
}
