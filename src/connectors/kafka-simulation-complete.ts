import type { CompletedJob, RecordedTask } from "../simulation-result.ts"
import type { WritingSink } from "../stream/types.ts"
import type { Kafka } from "./kafka-client.ts"
import { kafkaTaskSink } from "./kafka-task-sink.ts"

export const SIMULATION_COMPLETE_TOPIC = "events.simulation_complete"

/**
 * Publishes each conclusive result to `events.simulation_complete`. Inconclusive results say nothing
 * about a payload and are not published.
 */
export function kafkaSimulationComplete(kafka: Kafka): WritingSink<RecordedTask> {
  return kafkaTaskSink(kafka, {
    name: "publish_simulation",
    topic: SIMULATION_COMPLETE_TOPIC,
    events: ({ task, completed }) =>
      completed
        .filter(({ result }) => result.verdict !== "inconclusive")
        .map((job) => simulationCompleteEvent(job, task)),
  })
}

/** The event as its neighbours read it; what quotes the payload is masked already. */
function simulationCompleteEvent(
  { simulation_id, session_id, completed_at, event_id, payload, result }: CompletedJob,
  { verdict }: RecordedTask["task"],
) {
  return {
    event_id: `simulation_complete-${simulation_id}`,
    timestamp: completed_at,
    source: "sentinel",
    event_type: "simulation_complete",
    session_id,
    client_ip: verdict?.context.attacker_ip ?? null,
    meta: {
      evidence_event_id: event_id ?? null,
      evidence_sha256: verdict?.evidence_sha256 ?? null,
      location: payload.location ?? null,
      exploit_score: result.exploit_score,
      techniques: result.techniques,
      driver: result.driver.name,
    },
    simulation_id,
    payload_id: result.payload_id,
    result: {
      verdict: result.verdict,
      severity: result.severity,
      attack_type: result.attack_type,
      exploitation_evidence: result.evidence,
      affected_resources: result.affected_resources,
      reproduction_steps: result.reproduction_steps,
    },
    execution_time_ms: result.execution_time_ms,
  }
}
