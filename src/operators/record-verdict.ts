import type { ExplainedVerdict, Verdict } from "../events.ts"
import type { VerdictStore } from "../ports.ts"
import type { Operator } from "../stream/types.ts"

/**
 * Stores the verdict durably; the first write wins.
 *
 * In: a verdict, told to `onRecorded` if its event is new. Out: the verdict that the store holds, so that a redelivered event is published
 * with the content it had the first time, whatever model has been promoted since.
 * @throws EventIdConflictError for an event id that other evidence has used; UnavailableError
 */
export function recordVerdict(
  store: Pick<VerdictStore, "record">,
  onRecorded: (verdict: Verdict) => void = () => undefined,
): Operator<ExplainedVerdict, ExplainedVerdict> {
  return {
    name: "record_verdict",
    // LMDB makes one commit of all that wait, so width is what makes it fast
    concurrency: 256,
    async process(verdict) {
      const held = await store.record(verdict)
      // A redelivered event has been counted before.
      if (held === verdict) onRecorded(held.verdict)
      return held
    },
  }
}
