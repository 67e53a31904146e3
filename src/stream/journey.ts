import type { JourneyContext } from "./execute.ts"
import type { OutgoingMessage, SourceRecord } from "./types.ts"
import type { Ticket } from "./watermark.ts"

/** A record on its way: from the buffer, through the flow, until its outcome is durable or staged. */
export class Journey implements JourneyContext {
  readonly record: SourceRecord
  readonly ticket: Ticket
  readonly signal: AbortSignal
  staged: OutgoingMessage[] | undefined = undefined
  /** When it entered the flow, on the monotonic clock; milliseconds. */
  startedMs = Number.NaN

  constructor(record: SourceRecord, ticket: Ticket, signal: AbortSignal) {
    this.record = record
    this.ticket = ticket
    this.signal = signal
  }

  get key(): string {
    return this.record.key ?? ""
  }

  get eventTimeMs(): number {
    return this.record.timestampMs
  }
}
