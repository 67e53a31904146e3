import { randomUUID } from "node:crypto"
import type { SimulationRequest, Simulations } from "../../api/parts.ts"
import { SandboxPanickedError, SandboxUnavailableError } from "../../errors.ts"
import { payloadDocument } from "../../operators/simulation-document.ts"
import type { Sandbox } from "../../ports/sandbox.ts"
import type { SimulationQueue, SimulationTask } from "../../ports/simulation-queue.ts"
import type { SimulationStore } from "../../ports/simulation-store.ts"
import type { Clock } from "../../ports.ts"
import type { SimulationJob } from "../../simulation-result.ts"

export interface SimulationRequestParts {
  readonly sandbox: Pick<Sandbox, "describe" | "isPanicked">
  readonly store: Pick<SimulationStore, "put">
  readonly queue: Pick<SimulationQueue, "enqueue">
  readonly clock: Pick<Clock, "nowMs">
  readonly wake: () => void
}

const PRIORITY_OF_PEOPLE = 9

/** Takes what people ask: stored as queued, then queued at the highest priority. */
export function submitSimulations(parts: SimulationRequestParts): Simulations["submit"] {
  const { sandbox, store, queue, clock } = parts
  return async (request) => {
    if (sandbox.isPanicked()) throw new SandboxPanickedError()
    const { driver, notes } = sandbox.describe()
    if (driver === "none") throw new SandboxUnavailableError(notes.join("; ") || "there is none")
    const task = taskOfRequest(request, clock.nowMs())
    const job = queuedJob(request, task)
    await store.put([job])
    await queue.enqueue(task)
    parts.wake()
    return job
  }
}

/** The task of a payload that a person wants tried; its event id is that of the simulation. */
export function taskOfRequest(request: SimulationRequest, nowMs: number): SimulationTask {
  const { type, value, location, sessionId } = request
  const suspect = { payload_id: "", value, class: type, confidence: 1, location }
  return {
    eventId: `sim-${randomUUID().replaceAll("-", "")}`,
    ...{ sessionId, priority: PRIORITY_OF_PEOPLE, eventTimeMs: nowMs },
    suspects: [{ ...suspect, kind: "param" }],
  }
}

function queuedJob(
  { type, value, location }: SimulationRequest,
  { eventId, sessionId, eventTimeMs }: SimulationTask,
): SimulationJob {
  return {
    ...{ simulation_id: eventId, session_id: sessionId, status: "queued" },
    payload: payloadDocument({ class: type, value, location }),
    queued_at: new Date(eventTimeMs).toISOString(),
  }
}
