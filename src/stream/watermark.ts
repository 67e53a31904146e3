/** A record on its way: `finished` once its outcome is durable. */
export interface Ticket {
  readonly offset: bigint
  finished: boolean
}

/**
 * The low watermark of one partition: everything below it is finished.
 *
 * Records finish in any order; the watermark only passes a record when all before it are finished.
 */
export class Watermark {
  #tickets: Ticket[] = []
  #head = 0
  #next: bigint | undefined

  /** @param offset above every offset admitted before */
  admit(offset: bigint): Ticket {
    const ticket: Ticket = { offset, finished: false }
    this.#tickets.push(ticket)
    return ticket
  }

  finish(ticket: Ticket): void {
    ticket.finished = true
    for (;;) {
      const head = this.#tickets[this.#head]
      if (head === undefined || !head.finished) break
      this.#next = head.offset + 1n
      this.#head += 1
    }
    this.#compact()
  }

  /** The next offset to commit: one past the last finished run; undefined before the first. */
  get next(): bigint | undefined {
    return this.#next
  }

  /** Records admitted and not yet passed. */
  get pending(): number {
    return this.#tickets.length - this.#head
  }

  /** Amortised: the passed prefix is dropped once it is half of the list. */
  #compact(): void {
    if (this.#head < 1_024 || this.#head * 2 < this.#tickets.length) return
    this.#tickets = this.#tickets.slice(this.#head)
    this.#head = 0
  }
}
