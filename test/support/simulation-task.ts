import type { SimulationTask } from "../../src/ports/simulation-queue.ts"
import { explainedVerdict } from "../store/verdicts.ts"

export function simulationTask(eventId: string, priority = 5): SimulationTask {
  const { verdict, eventTimeMs } = explainedVerdict(eventId)
  return { eventId, sessionId: verdict.session_id, priority, eventTimeMs, verdict }
}
