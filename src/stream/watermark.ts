import { ReadyQueue } from "./ready-queue.ts"
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

/**
 * The low watermark of one partition: everything below it is finished.
 *
 * Records finish in any order; the watermark only passes a record when all before it are finished.
 */
export class Watermark {
  readonly #tickets = new ReadyQueue<Ticket>()
  #passed: bigint | undefined
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
    for (let head = this.#tickets.head; head?.finished; head = this.#tickets.head) {
      this.#tickets.shift()
      this.#onPass(head)
      this.#passed = head.offset
    }
  }

  /** The next offset to commit: one past the last finished run; undefined before the first. */
  get next(): bigint | undefined {
    return this.#passed === undefined ? undefined : this.#passed + 1n
  }

  /** Records admitted and not yet passed. */
  get pending(): number {
    return this.#tickets.size
  }

  /** The time of the record that holds the watermark back; undefined where none does. */
  get oldestMs(): number | undefined {
    return this.#tickets.head?.timestampMs
  }
}
