import { systemClock } from "../../clock.ts"
import type { Config } from "../../config.ts"
import { kafkaClient } from "../../connectors/kafka-client.ts"
import {
  kafkaSimulationQueue,
  SIMULATION_TOPIC,
  simulationMessage,
} from "../../connectors/kafka-simulation-queue.ts"
import { UnavailableError } from "../../errors.ts"
import type { ExplainedVerdict } from "../../events.ts"
import type {
  SimulationDepth,
  SimulationQueue,
  SimulationTask,
} from "../../ports/simulation-queue.ts"
import type { DataDirectoryPaths } from "../../store/data-directory.ts"
import { openSimulationQueue } from "../../store/simulation-queue.ts"
import type { MessageSink, Sink, WritingSink } from "../../stream/types.ts"

/** The queues between analysis and simulation, as the analysis sees them. */
export interface SimulationQueues {
  readonly sink: Sink<ExplainedVerdict>
  /** By the name of the source that reads it. */
  readonly queues: Readonly<Record<string, SimulationQueue>>
  /** The one of them that is on this machine. */
  readonly own: SimulationQueue
  /** Which of them the sink fills. */
  readonly handsTo: string
  /** As of a few seconds ago at most, while somebody asks; undefined while it is not known. */
  depth(): SimulationDepth | undefined
}

/** The source of this machine's own queue: of all tasks, or, beside Kafka, of those that people ask. */
const OWN_QUEUE = "simulations"
const DEPTH_MAX_AGE_MS = 5_000
const PRIORITY_MAX = 9

/** A topic where Kafka is configured, and always a file of the data directory. */
export function openSimulationQueues(
  { config, paths }: { config: Config; paths: Pick<DataDirectoryPaths, "store"> },
  stack: AsyncDisposableStack,
): SimulationQueues {
  const own = openSimulationQueue(paths.store)
  stack.defer(() => own.close())
  const topic = config.kafka && topicQueue(config.kafka)
  if (topic !== undefined) stack.defer(() => topic.close())
  const queues = { [OWN_QUEUE]: own, ...(topic && { [SIMULATION_TOPIC]: topic }) }
  const sink = topic === undefined ? simulationSink(own) : simulationMessageSink()
  const depth = depthOf(Object.values(queues))
  return { sink, queues, own, handsTo: targetOf(config), depth }
}

/** The same for a flow that is only drawn: nothing is opened. */
export function describedSimulationQueues(config: Config): SimulationQueues {
  const never = () => Promise.reject(new UnavailableError("the queue"))
  const queue: SimulationQueue = {
    ...{ enqueue: never, take: never, ack: never, release: never, depth: never },
    close: () => Promise.resolve(),
  }
  const queues = { [OWN_QUEUE]: queue, ...(config.kafka && { [SIMULATION_TOPIC]: queue }) }
  const sink = config.kafka === undefined ? simulationSink(queue) : simulationMessageSink()
  return { sink, queues, own: queue, handsTo: targetOf(config), depth: () => undefined }
}
function targetOf({ kafka }: Pick<Config, "kafka">): string {
  return kafka === undefined ? OWN_QUEUE : SIMULATION_TOPIC
}

function topicQueue({ brokers, groupId }: NonNullable<Config["kafka"]>): SimulationQueue {
  const kafka = kafkaClient({ brokers, clientId: "sentinel-simulations" })
  return kafkaSimulationQueue(kafka, { groupId: `${groupId}-simulations`, clock: systemClock })
}

const SINK_NAME = "enqueue_simulation"

/** Queues each verdict as a task; the surer the verdict, the sooner its turn. */
export function simulationSink(
  queue: Pick<SimulationQueue, "enqueue">,
): WritingSink<ExplainedVerdict> {
  return {
    name: SINK_NAME,
    guarantee: "idempotent",
    concurrency: 256,
    async write(verdict) {
      await queue.enqueue(simulationTask(verdict))
    },
  }
}

/** The same where the queue is a topic. */
function simulationMessageSink(): MessageSink<ExplainedVerdict> {
  return { name: SINK_NAME, message: (verdict) => simulationMessage(simulationTask(verdict)) }
}

function simulationTask({ verdict, eventTimeMs, suspects = [] }: ExplainedVerdict): SimulationTask {
  const { event_id: eventId, session_id: sessionId, final_score: score } = verdict
  const priority = Math.min(PRIORITY_MAX, Math.max(0, Math.floor(score * (PRIORITY_MAX + 1))))
  return { eventId, sessionId, priority, eventTimeMs, verdict, suspects }
}

/** Answers at once with what is known and asks again in the background: a scrape waits for nobody. */
function depthOf(queues: readonly Pick<SimulationQueue, "depth">[]): SimulationQueues["depth"] {
  let known: SimulationDepth | undefined
  let askedMs = Number.NEGATIVE_INFINITY
  let isAsking = false
  const ask = async () => {
    isAsking = true
    const depths = await Promise.all(queues.map((queue) => queue.depth())).catch(() => undefined)
    known = depths?.reduce(sum)
    askedMs = performance.now()
    isAsking = false
  }
  return () => {
    if (!isAsking && performance.now() - askedMs > DEPTH_MAX_AGE_MS) void ask()
    return known
  }
}

function sum(one: SimulationDepth, other: SimulationDepth): SimulationDepth {
  return {
    ready: one.ready + other.ready,
    leased: one.leased + other.leased,
    dropped: one.dropped + other.dropped,
  }
}
