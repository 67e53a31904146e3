import type { JourneyContext } from "./execute.ts"
import type { Partition } from "./partition.ts"
import type { OutgoingMessage, SourceRecord } from "./types.ts"

/** A record on its way through the flow. */
export class Journey implements JourneyContext {
  readonly key: string
  readonly eventTimeMs: number
  readonly record: SourceRecord
  readonly signal: AbortSignal
  staged: OutgoingMessage[] | undefined = undefined
  readonly startedMs = performance.now()

  constructor(record: SourceRecord, { signal }: Partition) {
    this.key = record.key ?? ""
    this.eventTimeMs = record.timestampMs
    this.record = record
    this.signal = signal
  }
}
