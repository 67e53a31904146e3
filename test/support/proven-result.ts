import type { SimulationResult } from "../../src/simulation-result.ts"

/** Of an SQL injection that the twin proved. */
export function provenResult(changed: Partial<SimulationResult> = {}): SimulationResult {
  return {
    ...{ simulation_id: "sim-1", event_id: "event-1", session_id: "session-1", payload_id: "p0" },
    ...{ verdict: "exploit_possible", attack_type: "sql_injection", exploit_score: 0.98 },
    ...{ score_derivation: [], severity: 9, evidence: [], affected_resources: [] },
    signals: [{ template: "quoted", effect: "canary_leaked", detail: "a password" }],
    proof: { template: "quoted", program: "SELECT", effect: "canary_leaked", observed: "it" },
    ...{ reproduction_steps: [], techniques: ["T1190"], templates_tried: 11 },
    driver: { name: "bubblewrap", limits: {} },
    outside: { wall_ms: 20, timed_out: false, out_of_memory: false },
    execution_time_ms: 20,
    ...changed,
  }
}
