import type { SimulationStore } from "../ports/simulation-store.ts"
import type { SimulationJob } from "../simulation-result.ts"
import type { DeadLetterSink } from "../stream/types.ts"
import { runningJobs } from "./plan-simulation.ts"

/**
 * Says of the simulations of a failed task what becomes of them: queued again where the failure
 * passes, else failed with its public code. A task that cannot be read has none.
 */
export function settleSimulation(
  store: Pick<SimulationStore, "put">,
  isPassing: (code: string) => boolean,
): DeadLetterSink {
  return {
    name: "settle_simulation",
    guarantee: "idempotent",
    concurrency: 16,
    async write({ code, message, record, failedAtMs }) {
      const failed: Partial<SimulationJob> = isPassing(code)
        ? { status: "queued" }
        : {
            status: "failed",
            completed_at: new Date(failedAtMs).toISOString(),
            error: { code, message },
          }
      const jobs = runningJobs(record.value, record.receivedAtMs)
      await store.put(jobs.map((job) => ({ ...job, ...failed })))
    },
  }
}
