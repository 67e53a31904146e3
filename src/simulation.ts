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
  /** Makes rules from what was proven and has them decided about; no result waits for that. */
  readonly generateRules: Operator<StoredTask, RecordedTask>
  readonly publish: readonly Sink<RecordedTask>[]
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

/** The simulation flow, whole: tasks in; rules decided, results stored and published. */
export function buildSimulation(parts: SimulationParts): Dataflow<SourceRecord, RecordedTask> {
  const recorded = buildTrials(parts).via(parts.record).via(parts.generateRules)
  return parts.publish.reduce((stream, sink) => stream.to(sink), recorded).to(parts.acknowledge)
}
