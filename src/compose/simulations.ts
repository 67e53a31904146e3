import { systemClock } from "../clock.ts"
import type { Config } from "../config.ts"
import { kafkaClient } from "../connectors/kafka-client.ts"
import { kafkaSimulationQueue, simulationMessage } from "../connectors/kafka-simulation-queue.ts"
import { UnavailableError } from "../errors.ts"
import type { ExplainedVerdict } from "../events.ts"
import type { SimulationDepth, SimulationQueue, SimulationTask } from "../ports.ts"
import type { DataDirectoryPaths } from "../store/data-directory.ts"
import { openSimulationQueue } from "../store/simulation-queue.ts"
import type { OutgoingMessage, Sink } from "../stream/types.ts"

/** The queue between analysis and simulation, as the analysis sees it. */
export interface Simulations {
  readonly sink: Sink<ExplainedVerdict>
  /** As of a few seconds ago at most, while somebody asks; undefined while it is not known. */
  depth(): SimulationDepth | undefined
}

const DEPTH_MAX_AGE_MS = 5_000
const PRIORITY_MAX = 9

/** A topic where Kafka is configured, else a file of the data directory. */
export function openSimulations(
  { config, paths }: { config: Config; paths: Pick<DataDirectoryPaths, "store"> },
  stack: AsyncDisposableStack,
): Simulations {
  const queue = config.kafka ? topicQueue(config.kafka) : openSimulationQueue(paths.store)
  stack.defer(() => queue.close())
  return { sink: simulationSink(queue, config.kafka && simulationMessage), depth: depthOf(queue) }
}

/** The same for a flow that is only drawn: nothing is opened. */
export function describedSimulations(config: Config): Simulations {
  const enqueue = () => Promise.reject(new UnavailableError("the queue"))
  const sink = simulationSink({ enqueue }, config.kafka && simulationMessage)
  return { sink, depth: () => undefined }
}

function topicQueue({ brokers, groupId }: NonNullable<Config["kafka"]>): SimulationQueue {
  const kafka = kafkaClient({ brokers, clientId: "sentinel-simulations" })
  return kafkaSimulationQueue(kafka, { groupId: `${groupId}-simulations`, clock: systemClock })
}

/** Queues each verdict as a task; the surer the verdict, the sooner its turn. */
export function simulationSink(
  queue: Pick<SimulationQueue, "enqueue">,
  message?: (task: SimulationTask) => OutgoingMessage,
): Sink<ExplainedVerdict> {
  return {
    name: "enqueue_simulation",
    guarantee: message === undefined ? "idempotent" : "at-least-once",
    concurrency: 256,
    async write(verdict) {
      await queue.enqueue(simulationTask(verdict))
    },
    ...(message && { message: (verdict: ExplainedVerdict) => message(simulationTask(verdict)) }),
  }
}

function simulationTask({ verdict, eventTimeMs, suspects = [] }: ExplainedVerdict): SimulationTask {
  const { event_id: eventId, session_id: sessionId, final_score: score } = verdict
  const priority = Math.min(PRIORITY_MAX, Math.max(0, Math.floor(score * (PRIORITY_MAX + 1))))
  return { eventId, sessionId, priority, eventTimeMs, verdict, suspects }
}

/** Answers at once with what is known and asks again in the background: a scrape waits for nobody. */
function depthOf(queue: Pick<SimulationQueue, "depth">): Simulations["depth"] {
  let known: SimulationDepth | undefined
  let askedMs = Number.NEGATIVE_INFINITY
  let isAsking = false
  const ask = async () => {
    isAsking = true
    known = await queue.depth().catch(() => undefined)
    askedMs = performance.now()
    isAsking = false
  }
  return () => {
    if (!isAsking && performance.now() - askedMs > DEPTH_MAX_AGE_MS) void ask()
    return known
  }
}
