import type { ExplainedVerdict, RecordedVerdict, Verdict } from "../events.ts"
import type { VerdictStore } from "../ports.ts"
import type { Operator, SourceRecord } from "../stream/types.ts"

export interface RecordOptions {
  /** Told of each verdict whose event is new. */
  readonly onRecorded?: (verdict: Verdict) => void
  /** Topics whose records have a place that survives a restart. */
  readonly placed: ReadonlySet<string>
}

/**
 * Stores the verdict durably; the first write wins.
 *
 * Out: the verdict that the store holds, so that a redelivered event is published with the content it
 * had the first time, whatever model has been promoted since. A redelivery comes from the place of
 * the first announcement and is published; the same event announced again elsewhere is a repeat.
 * @throws EventIdConflictError for an event id that other evidence has used; UnavailableError
 */
export function recordVerdict(
  store: Pick<VerdictStore, "record">,
  { placed, onRecorded = () => undefined }: RecordOptions,
): Operator<ExplainedVerdict, RecordedVerdict> {
  return {
    name: "record_verdict",
    // LMDB makes one commit of all that wait, so width is what makes it fast
    concurrency: 256,
    async process(verdict, { record }) {
      const origin = placed.has(record.topic) ? placeOf(record) : undefined
      const given = origin === undefined ? verdict : { ...verdict, origin }
      const held = await store.record(given)
      if (held === given) onRecorded(held.verdict)
      const isPlaced = origin !== undefined && held.origin !== undefined
      return { ...held, isRepeat: isPlaced && held.origin !== origin }
    },
  }
}

function placeOf({ topic, partition, offset }: SourceRecord): string {
  return `${topic}/${partition}/${offset}`
}
