import type { SimulationSubject } from "../../src/simulation-result.ts"

export function simulationSubject(changed: Partial<SimulationSubject> = {}): SimulationSubject {
  return {
    simulationId: "sim-1",
    eventId: "event-1",
    sessionId: "session-1",
    payloadId: "p0",
    class: "sql_injection",
    value: "x' OR 1=1--",
    location: "query:q",
    confidence: 0.99,
    truncated: false,
    ...changed,
  }
}
