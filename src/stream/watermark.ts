import type { OutgoingMessage } from "./types.ts"

/** A record on its way; `finished` once its outcome is durable or staged. */
export interface Ticket {
  readonly offset: bigint
  /** The record's own time, epoch milliseconds. */
  readonly timestampMs: number
  finished: boolean
  /** What goes out with the commit that passes this record. */
  messages: readonly OutgoingMessage[] | undefined
}

const NO_OFFSET = -1n

/**
 * The low watermark of one partition: everything below it is finished.
 *
 * Records finish in any order; the watermark only passes a record when all before it are finished.
 */
export class Watermark {
  #tickets: Ticket[] = []
  #head = 0
  #next = NO_OFFSET
  readonly #onPass: (ticket: Ticket) => void

  constructor(onPass: (ticket: Ticket) => void = () => undefined) {
    this.#onPass = onPass
  }

  /** @param offset above every offset admitted before */
  admit(offset: bigint, timestampMs = 0): Ticket {
    const ticket: Ticket = { offset, timestampMs, finished: false, messages: undefined }
    this.#tickets.push(ticket)
    return ticket
  }

  finish(ticket: Ticket): void {
    ticket.finished = true
    let passed: Ticket | undefined
    for (let head = this.#tickets[this.#head]; head?.finished; head = this.#tickets[this.#head]) {
      this.#onPass(head)
      passed = head
      this.#head += 1
    }
    if (passed === undefined) return
    this.#next = passed.offset + 1n
    this.#compact()
  }

  /** The next offset to commit: one past the last finished run; undefined before the first. */
  get next(): bigint | undefined {
    return this.#next === NO_OFFSET ? undefined : this.#next
  }

  /** Records admitted and not yet passed. */
  get pending(): number {
    return this.#tickets.length - this.#head
  }

  /** The time of the record that holds the watermark back; undefined where none does. */
  get oldestMs(): number | undefined {
    return this.#tickets[this.#head]?.timestampMs
  }

  /** Amortised: the passed prefix is dropped once it is half of the list. */
  #compact(): void {
    if (this.#head < 1_024 || this.#head * 2 < this.#tickets.length) return
    this.#tickets = this.#tickets.slice(this.#head)
    this.#head = 0
  }
}
