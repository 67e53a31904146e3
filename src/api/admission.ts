import { HttpError } from "./http-error.ts"

/** Lets a bounded number of calls in at once and refuses the others at once: nobody queues. */
export class Admission {
  readonly #callsMax: number
  #calls = 0

  constructor(callsMax: number) {
    this.#callsMax = callsMax
  }

  /** @throws {HttpError} BUSY */
  async run<T>(work: () => T | Promise<T>): Promise<T> {
    if (this.#calls >= this.#callsMax) throw new HttpError("BUSY")
    this.#calls++
    try {
      return await work()
    } finally {
      this.#calls--
    }
  }
}
