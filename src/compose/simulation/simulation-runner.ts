import { availableParallelism } from "node:os"
import { systemClock } from "../../clock.ts"
import type { Config } from "../../config.ts"
import { simulationLinesSink } from "../../connectors/jsonl-sink.ts"
import { kafkaClient } from "../../connectors/kafka-client.ts"
import { kafkaRuleGenerated } from "../../connectors/kafka-rule-generated.ts"
import { kafkaSimulationComplete } from "../../connectors/kafka-simulation-complete.ts"
import { type SimulationSource, simulationSource } from "../../connectors/simulation-source.ts"
import type { Logger } from "../../log.ts"
import { type GenerateRulesParts, generateRules } from "../../operators/generate-rules.ts"
import { minimisePayloads } from "../../operators/minimise-payload.ts"
import { planSimulation } from "../../operators/plan-simulation.ts"
import { recordSimulations } from "../../operators/record-simulations.ts"
import { scoreExploits } from "../../operators/score-exploit.ts"
import { settleSimulation } from "../../operators/settle-simulation.ts"
import { simulatePayloads } from "../../operators/simulate-payloads.ts"
import type { AuditLog, Sandbox } from "../../ports/sandbox.ts"
import type { SimulationQueue } from "../../ports/simulation-queue.ts"
import type { SimulationStore } from "../../ports/simulation-store.ts"
import type { Clock } from "../../ports.ts"
import { buildSimulation } from "../../simulation.ts"
import type { CompletedJob, JudgedSubject, RecordedTask } from "../../simulation-result.ts"
import type { DataDirectoryPaths } from "../../store/data-directory.ts"
import { Engine, type EngineLimits } from "../../stream/engine.ts"
import { describeFlow, type Topology } from "../../stream/topology.ts"
import type { DeadLetterSink, EngineObserver, Sink } from "../../stream/types.ts"
import type { EngineNumbers } from "../engine-gauges.ts"
import type { EngineMeter } from "../engine-meter.ts"

export interface SimulationRunnerParts {
  readonly config: Pick<Config, "kafka" | "sandbox">
  readonly log: Logger
  readonly paths: Pick<DataDirectoryPaths, "simulationLines">
  /** By the name of the source that reads it. */
  readonly queues: Readonly<Record<string, SimulationQueue>>
  readonly store: Pick<SimulationStore, "put" | "byId">
  readonly sandbox: Pick<Sandbox, "run" | "describe" | "isPanicked">
  readonly audit: Pick<AuditLog, "append">
  readonly observer: EngineObserver
  readonly meter: EngineMeter
  readonly onJudged?: (judged: JudgedSubject) => void
  readonly onCompleted: (job: CompletedJob) => void
  /** Undefined where nobody is told. */
  readonly alerts?: Sink<RecordedTask> | undefined
  readonly rules: Pick<GenerateRulesParts, "make" | "decide" | "onRefused">
  readonly clock?: Clock
}

/** The simulation flow with its sources and sinks, on an engine of its own. */
export interface SimulationRunner {
  /** Rejects when the flow cannot go on. */
  readonly finished: Promise<void>
  readonly topology: Topology
  /** What its engine does now, over the window of `meter`. */
  numbers(): EngineNumbers
  start(): Promise<void>
  drain(timeoutMs: number): Promise<void>
  /** Something was queued on this machine. */
  wake(): void
}

/** Failures that say nothing about the task: it stays queued. */
const PASSING_CODES: ReadonlySet<string> = new Set([
  ...["SANDBOX_UNAVAILABLE", "SANDBOX_PANICKED", "UNAVAILABLE", "TIMEOUT", "ABANDONED"],
])

export function isPassing(code: string): boolean {
  return PASSING_CODES.has(code)
}

const TASKS_AT_ONCE = Math.max(2, availableParallelism())
/** Beyond its deadline a task ends its run, shortens no more and is stored. */
const LEASE_SLACK_MS = 120_000
const LIMITS: Partial<EngineLimits> = {
  inFlightMax: TASKS_AT_ONCE,
  retry: { attemptsMax: 3, baseMs: 500, capMs: 5_000 },
  // a bug of the simulation must not stop the analysis beside it: its tasks fail, which alarms
  suspectAfter: Number.POSITIVE_INFINITY,
}

export function createSimulationRunner(parts: SimulationRunnerParts): SimulationRunner {
  const { clock = systemClock, observer } = parts
  const sources = Object.entries(parts.queues).map(([name, queue]) => sourceOf(name, queue, parts))
  const flow = buildSimulation(flowParts(parts, sources))
  const engine = new Engine(
    {
      ...{ flow, sources, clock, observer, random: Math.random },
      deadLetters: [settleSimulation(parts.store, isPassing), endTasks(sources)],
    },
    LIMITS,
  )
  return {
    finished: engine.finished,
    numbers: () => ({ engine, reading: parts.meter.read(engine), unread: [] }),
    topology: describeFlow(flow, Object.keys(parts.queues)),
    start: () => engine.start(),
    drain: (timeoutMs) => engine.drain(timeoutMs),
    wake() {
      for (const source of sources) source.wake()
    },
  }
}

function sourceOf(
  name: string,
  queue: SimulationQueue,
  { config, sandbox, log, clock = systemClock }: SimulationRunnerParts,
): SimulationSource {
  return simulationSource({
    ...{ name, queue, clock },
    isOpen: () => !sandbox.isPanicked() && sandbox.describe().driver !== "none",
    // one more than can run, so that nobody waits for the queue
    tasksMax: TASKS_AT_ONCE + 1,
    leaseMs: 2 * config.sandbox.timeoutMs + LEASE_SLACK_MS,
    onProblem: ({ code, message: reason }) =>
      log.warn("the simulation queue cannot be read", { queue: name, code, reason }),
  })
}

function flowParts(parts: SimulationRunnerParts, sources: readonly SimulationSource[]) {
  const { store, sandbox, audit, clock = systemClock } = parts
  const trying = { sandbox, clock, concurrency: TASKS_AT_ONCE }
  return {
    plan: planSimulation({ store, clock, taskTimeoutMs: parts.config.sandbox.timeoutMs }),
    simulate: simulatePayloads(trying),
    score: scoreExploits(),
    minimise: minimisePayloads({ ...trying, onJudged: parts.onJudged }),
    generateRules: generateRules({ ...parts.rules, sandbox, clock, concurrency: TASKS_AT_ONCE }),
    record: recordSimulations({ store, clock, audit, onCompleted: parts.onCompleted }),
    ...publishers(parts),
    acknowledge: acknowledgeTask(sources),
  }
}

function publishers({ config, paths, alerts }: SimulationRunnerParts) {
  const lines = simulationLinesSink(paths.simulationLines)
  const told = alerts ? [alerts] : []
  if (config.kafka === undefined) return { publishResults: [lines], publishRules: told }
  const { brokers } = config.kafka
  const kafka = kafkaClient({ brokers, clientId: "sentinel-simulation-results" })
  return {
    publishResults: [lines, kafkaSimulationComplete(kafka)],
    publishRules: [...told, kafkaRuleGenerated(kafka)],
  }
}

/** Last of all: what is acknowledged is not delivered again. */
function acknowledgeTask(sources: readonly SimulationSource[]): Sink<RecordedTask> {
  return {
    name: "acknowledge_task",
    guarantee: "idempotent",
    concurrency: 16,
    async write(_, { record }) {
      await sources.find(({ name }) => name === record.topic)?.acknowledge(record)
    },
  }
}

/** Back to its queue with a task that is not to blame; any other is over. */
function endTasks(sources: readonly SimulationSource[]): DeadLetterSink {
  return {
    name: "end_task",
    guarantee: "idempotent",
    concurrency: 16,
    async write({ code, record }) {
      const source = sources.find(({ name }) => name === record.topic)
      if (isPassing(code)) await source?.giveBack(record)
      else await source?.acknowledge(record)
    },
  }
}
