import type { AlertOccurrence } from "../../alert.ts"
import { taskOccurrences, verdictOccurrence } from "../../alerts/occurrences.ts"
import type { ExplainedVerdict } from "../../events.ts"
import type { RecordedTask } from "../../simulation-result.ts"
import type { WritingSink } from "../../stream/types.ts"

/** What the two flows end in, so that people are told of what they found. */
export interface AlertSinks {
  readonly verdicts: WritingSink<ExplainedVerdict>
  readonly simulations: WritingSink<RecordedTask>
}

export interface AlertSinksOptions {
  /** Score, 0..1. */
  readonly threshold: number
  /** Resolves once the occurrence survives a crash. */
  readonly raise: (occurrence: AlertOccurrence) => Promise<void>
  /** Told of an occurrence that could not be kept. */
  readonly onLost: (error: unknown) => void
}

/** They never fail: an alert that cannot be kept must not hold back a verdict. */
export function alertSinks({ threshold, raise, onLost }: AlertSinksOptions): AlertSinks {
  const keep = (occurrence: AlertOccurrence) => raise(occurrence).catch(onLost)
  return {
    verdicts: {
      name: "alert_verdict",
      guarantee: "idempotent",
      // LMDB makes one commit of all that wait
      concurrency: 256,
      async write({ verdict }) {
        const occurrence = verdictOccurrence(verdict, threshold)
        if (occurrence !== undefined) await keep(occurrence)
      },
    },
    simulations: {
      name: "alert_simulation",
      guarantee: "idempotent",
      concurrency: 16,
      async write(task) {
        await Promise.all(taskOccurrences(task, threshold).map(keep))
      },
    },
  }
}
