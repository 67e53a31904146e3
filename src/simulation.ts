import type {
  JudgedTask,
  PlannedSimulation,
  RecordedTask,
  SimulatedTask,
  StoredTask,
} from "./simulation-result.ts"
import { Dataflow } from "./stream/dataflow.ts"
import type { Operator, Sink, SourceRecord } from "./stream/types.ts"

export interface SimulationTrialParts {
  readonly plan: Operator<SourceRecord, PlannedSimulation>
  readonly simulate: Operator<PlannedSimulation, SimulatedTask>
  readonly score: Operator<SimulatedTask, JudgedTask>
  readonly minimise: Operator<JudgedTask, JudgedTask>
}

export interface SimulationParts extends SimulationTrialParts {
  /** First result wins: what is redelivered goes on with what the store holds. */
  readonly record: Operator<JudgedTask, StoredTask>
  /** Where the results go; none waits for a rule. */
  readonly publishResults: readonly Sink<StoredTask>[]
  /** Makes rules from what was proven and has them decided about. */
  readonly generateRules: Operator<StoredTask, RecordedTask>
  readonly publishRules: readonly Sink<RecordedTask>[]
  /** Takes the task out of its queue. */
  readonly acknowledge: Sink<RecordedTask>
}

/** From a task of the queue to judged payloads; no side effect but in the sandbox. */
export function buildTrials(parts: SimulationTrialParts): Dataflow<SourceRecord, JudgedTask> {
  return Dataflow.named<SourceRecord>("simulation")
    .via(parts.plan)
    .via(parts.simulate)
    .via(parts.score)
    .via(parts.minimise)
}

/** The simulation flow, whole: tasks in; results stored and published, rules decided. */
export function buildSimulation(parts: SimulationParts): Dataflow<SourceRecord, RecordedTask> {
  const stored = buildTrials(parts).via(parts.record)
  const published = parts.publishResults.reduce((stream, sink) => stream.to(sink), stored)
  const ruled = published.via(parts.generateRules)
  return parts.publishRules.reduce((stream, sink) => stream.to(sink), ruled).to(parts.acknowledge)
}
