import type { AuditLog } from "../ports/sandbox.ts"
import type { SimulationStore } from "../ports/simulation-store.ts"
import type { Clock } from "../ports.ts"
import type { CompletedJob, JudgedSubject, JudgedTask, StoredTask } from "../simulation-result.ts"
import type { Operator } from "../stream/types.ts"
import { maskResult, payloadDocument } from "./simulation-document.ts"

export interface RecordSimulationsParts {
  readonly store: Pick<SimulationStore, "put">
  readonly clock: Pick<Clock, "nowMs">
  readonly audit: Pick<AuditLog, "append">
  /** Told of each result that is new. */
  readonly onCompleted?: (job: CompletedJob) => void
}

/**
 * Stores the results durably, credentials masked, after the audit log has each of them.
 *
 * Out: these and those known before, to be published again, for nobody knows whether they were.
 * @throws UnavailableError
 */
export function recordSimulations(parts: RecordSimulationsParts): Operator<JudgedTask, StoredTask> {
  const { store, clock, audit, onCompleted = () => undefined } = parts
  return {
    name: "record_simulation",
    concurrency: 16,
    async process(judged) {
      const completedAt = new Date(clock.nowMs()).toISOString()
      const jobs = judged.judged.map((one) => completedJob(one, judged.startedMs, completedAt))
      await Promise.all(judged.judged.map((one) => audit.append("result", auditedResult(one))))
      await store.put(jobs)
      for (const job of jobs) onCompleted(job)
      const { task, known, deadlineMs } = judged
      return {
        ...{ task, deadlineMs },
        completed: [...known.map(({ job }) => job), ...jobs],
        judged: [
          ...known.map(({ subject, job: { result } }) => ({ subject, result })),
          ...judged.judged,
        ],
      }
    },
  }
}

/** What the audit log keeps of a result: the payload by its digest. */
export function auditedResult({ subject, result }: JudgedSubject) {
  const { simulation_id, verdict, exploit_score, driver } = result
  const payload = new Bun.CryptoHasher("sha256").update(subject.value).digest("hex")
  return {
    ...{ simulation_id, class: subject.class, payload_sha256: payload },
    ...{ verdict, exploit_score, driver: driver.name },
  }
}

function completedJob(
  { subject, result }: JudgedSubject,
  startedMs: number,
  completedAt: string,
): CompletedJob {
  const startedAt = new Date(startedMs).toISOString()
  return {
    simulation_id: subject.simulationId,
    ...(subject.eventId !== undefined && { event_id: subject.eventId }),
    session_id: subject.sessionId,
    status: "completed",
    payload: payloadDocument(subject),
    queued_at: startedAt,
    started_at: startedAt,
    completed_at: completedAt,
    result: maskResult(result, subject),
  }
}
