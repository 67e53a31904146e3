import { systemClock } from "../clock.ts"
import type { Config } from "../config.ts"
import { inboxDeadLetters, inboxSource, type RejectedFile } from "../connectors/inbox-source.ts"
import { jsonlSink } from "../connectors/jsonl-sink.ts"
import { type Kafka, kafkaClient } from "../connectors/kafka-client.ts"
import { kafkaDeadLetters, letterOfMessage } from "../connectors/kafka-dead-letters.ts"
import { KafkaPublisher } from "../connectors/kafka-publisher.ts"
import { SIMULATION_TOPIC } from "../connectors/kafka-simulation-queue.ts"
import { kafkaVerdictSink, VERDICT_TOPIC } from "../connectors/kafka-sink.ts"
import { type KafkaSource, kafkaSource } from "../connectors/kafka-source.ts"
import { publicError } from "../errors.ts"
import type { ExplainedVerdict, Verdict } from "../events.ts"
import type { Logger } from "../log.ts"
import type { JudgingThreads } from "../operators/judge-evidence.ts"
import { recordVerdict } from "../operators/record-verdict.ts"
import { buildPipeline } from "../pipeline.ts"
import type { ObjectStore, VerdictStore } from "../ports.ts"
import { folderObjects } from "../services/folder-objects.ts"
import { minioObjects } from "../services/minio-objects.ts"
import type { DataDirectoryPaths } from "../store/data-directory.ts"
import { Engine } from "../stream/engine.ts"
import { type PatientSource, patientSource } from "../stream/patient-source.ts"
import { describeFlow, joinTopologies, type Topology } from "../stream/topology.ts"
import type {
  DeadLetter,
  DeadLetterSink,
  EngineObserver,
  OutgoingMessage,
  Publisher,
  Sink,
} from "../stream/types.ts"
import type { EngineGauges } from "../telemetry.ts"
import { announceSink } from "./announce.ts"
import { engineGauges, joinNumbers } from "./engine-gauges.ts"
import type { EngineMeter } from "./engine-meter.ts"
import { analysisParts, FORMS, threadedJudging } from "./flow-parts.ts"
import type { Models } from "./models.ts"
import { Reachability, watchObjects } from "./reachability.ts"
import { describeRunning, type RunningTopology } from "./running-topology.ts"
import type { SimulationQueues } from "./simulation/simulation-queues.ts"
import type { SimulationRunner } from "./simulation/simulation-runner.ts"

export interface RunnerParts {
  readonly config: Config
  readonly log: Logger
  readonly models: Models
  readonly paths: DataDirectoryPaths
  readonly verdicts: Pick<VerdictStore, "record">
  readonly deadLetters: DeadLetterSink
  readonly observer: EngineObserver
  readonly meter: EngineMeter
  readonly simulations: SimulationQueues
  /** Undefined where this thread does everything. */
  readonly threads: JudgingThreads | undefined
  /** Undefined where nothing is simulated. */
  readonly simulation?: Pick<SimulationRunner, "topology" | "numbers"> | undefined
  /** Undefined where nobody is told. */
  readonly alerts?: Sink<ExplainedVerdict> | undefined
  readonly onRecorded: (verdict: Verdict) => void
  readonly onRejected: (file: RejectedFile) => void
}

/** The analysis flow with its sources and sinks, ready to run. */
export interface Runner {
  /** Rejects when the flow cannot go on. */
  readonly finished: Promise<void>
  readonly topology: Topology
  /** The graph with what it does now. */
  describe(): Promise<RunningTopology>
  /** Sources that are not reading, and systems that failed when they were last used, by name. */
  unreachable(): readonly string[]
  start(): Promise<void>
  drain(timeoutMs: number): Promise<void>
  gauges(): EngineGauges
  /** For GET stats, by snake_case name. */
  numbers(): Readonly<Record<string, number>>
}

export function createRunner(parts: RunnerParts): Runner {
  const { config, models, verdicts, log, observer, threads } = parts
  const { inbox: directory, done, failed } = parts.paths
  const inbox = inboxSource({
    ...{ inbox: directory, done, failed, clock: systemClock },
    onProblem: (error) => log.error("a file of the inbox is stuck", publicError(error)),
    onRejected: parts.onRejected,
  })
  const kafka = connectKafka(parts)
  const reachability = new Reachability(systemClock)
  const watched: typeof verdicts = {
    record: (verdict) => reachability.watch("verdict store", verdicts.record(verdict)),
  }
  const analysis = analysisParts(models, config, watchObjects(openObjects(parts), reachability))
  const judging = threads && threadedJudging(analysis, { threads, observer })
  const flow = buildPipeline({
    ...analysis,
    ...(judging && { judge: judging.operator }),
    record: recordVerdict(watched, {
      onRecorded: parts.onRecorded,
      placed: new Set(kafka.topics),
    }),
    announce: announceSink(log),
    enqueueSimulation: parts.simulations.sink,
    publish: [
      jsonlSink(parts.paths.verdictLines),
      // before Kafka: an outage there must not keep people from being told
      ...(parts.alerts ? [parts.alerts] : []),
      ...kafka.sinks,
    ],
  })
  const engine = new Engine({
    flow,
    sources: [inbox, ...kafka.sources],
    // in the store for people, in the topic for systems, and the file out of the inbox
    deadLetters: [parts.deadLetters, ...kafka.letters, inboxDeadLetters(inbox)],
    publisher: kafka.publisher,
    clock: systemClock,
    observer,
    random: Math.random,
  })
  const measured = {
    stats: () => engine.stats(),
    operatorStats: () => [...engine.operatorStats(), ...(judging?.operatorStats() ?? [])],
  }
  const numbers = () => {
    const unread = kafka.sources.flatMap((source) => source.inner?.lag() ?? [])
    const own = { engine: measured, reading: parts.meter.read(measured), unread }
    const both = parts.simulation ? joinNumbers(own, parts.simulation.numbers()) : own
    const nowMs = systemClock.nowMs()
    return { ...both, nowMs, simulations: parts.simulations.depth() }
  }
  const sources = [inbox.name, ...kafka.transactional]
  const topology = joinSimulation(describeFlow(flow, sources, kafka.transactional), parts)
  return {
    finished: engine.finished,
    topology,
    describe: async () => describeRunning(topology, numbers()),
    unreachable: () => [...silentSources(kafka.sources), ...reachability.unreachable()],
    start: () => engine.start(),
    drain: (timeoutMs) => engine.drain(timeoutMs),
    gauges: () => engineGauges(numbers()),
    numbers: () => engineNumbers(engine),
  }
}

/** The queue is where the two flows meet. */
function joinSimulation(analysis: Topology, { simulation, simulations }: RunnerParts): Topology {
  if (simulation === undefined) return analysis
  const to = simulations.handsTo
  return joinTopologies(analysis, simulation.topology, [{ from: simulations.sink.name, to }])
}

interface KafkaParts {
  readonly sources: readonly PatientSource<KafkaSource>[]
  readonly topics: readonly string[]
  /** Their names; all of them are transactional. */
  readonly transactional: readonly string[]
  readonly sinks: readonly Sink<ExplainedVerdict>[]
  readonly letters: readonly Sink<DeadLetter>[]
  /** Of what comes from the inbox. */
  readonly publisher?: Publisher
}

const NO_KAFKA: KafkaParts = { topics: [], sources: [], transactional: [], sinks: [], letters: [] }

function connectKafka({ config, log, observer }: RunnerParts): KafkaParts {
  if (config.kafka === undefined) return NO_KAFKA
  const { brokers, groupId } = config.kafka
  const kafka: Kafka = kafkaClient({
    brokers,
    log: ({ level, message, ...fields }) => log[level](message, fields),
  })
  const topics = Object.keys(FORMS).filter((topic) => topic !== "inbox")
  const letters = kafkaDeadLetters()
  // nothing of a partition waits for a message that will never fit
  const instead = (message: OutgoingMessage, bytesMax: number) => {
    const letter = letterOfMessage(message, { bytesMax, nowMs: systemClock.nowMs() })
    observer.deadLettered(letter)
    return letters.message(letter)
  }
  const sent = [VERDICT_TOPIC, SIMULATION_TOPIC].map((topic) => ({ topic, instead }))
  const produces = [...sent, letters.produces]
  const watchdog = {
    clock: systemClock,
    onRebuilt: (stalled: readonly string[]) => {
      observer.retried("kafka.consumer", "STALLED")
      log.error("a stalled kafka consumer is rebuilt", { partitions: stalled.length })
    },
  }
  const source = patientSource({
    name: "kafka",
    create: () => kafkaSource(kafka, { topics, groupId, produces, watchdog }),
    clock: systemClock,
    random: Math.random,
    onWaiting: (error, waitMs) =>
      log.warn("waiting for kafka", { code: error.code, retry_in_ms: waitMs }),
  })
  return {
    topics,
    sources: [source],
    transactional: [source.name],
    sinks: [kafkaVerdictSink()],
    letters: [letters],
    publisher: new KafkaPublisher(kafka, produces),
  }
}

function silentSources(sources: KafkaParts["sources"]): readonly string[] {
  return sources.filter(({ inner }) => inner?.isReachable() !== true).map(({ name }) => name)
}

function openObjects({ config, paths }: RunnerParts): ObjectStore {
  return config.minio === undefined ? folderObjects(paths.objects) : minioObjects(config.minio)
}

function engineNumbers(engine: Engine): Readonly<Record<string, number>> {
  const partitions = engine.stats()
  return {
    partitions: partitions.length,
    in_flight: partitions.reduce((sum, { inFlight }) => sum + inFlight, 0),
    waiting: partitions.reduce((sum, { buffered }) => sum + buffered, 0),
  }
}
