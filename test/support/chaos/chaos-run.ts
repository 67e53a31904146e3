import { randomUUID } from "node:crypto"
import { openSync } from "node:fs"
import { join } from "node:path"
import {
  ensureTopics,
  idempotentProducer,
  type Kafka,
  kafkaClient,
  type Producer,
} from "../../../src/connectors/kafka-client.ts"
import type { SourceRecord } from "../../../src/stream/types.ts"
import { seededRandom } from "../seeded-random.ts"
import type { RestartableKafka } from "../services.ts"
import { readTopics } from "../topic-reader.ts"
import { type Anomalies, judgeHistory, type Sighting } from "./history.ts"

export interface ChaosPlan {
  readonly seed: number
  readonly events: number
  /** Share of the events that must become dead letters. */
  readonly poisonShare: number
  /** SIGKILLs, each at a random instant to a random process, which comes back a moment later. */
  readonly kills: number
  readonly brokerRestarts: number
  /** While the events are produced and the faults happen. */
  readonly durationMs: number
  /** Default "exactly-once"; the other one is there to show that the judge finds what it should. */
  readonly guarantee?: "exactly-once" | "at-least-once"
  /** Where the processes write what they have to say. */
  readonly logFile: string
}

export interface ChaosReport extends Anomalies {
  readonly events: number
  readonly out: number
  readonly dead: number
  readonly kills: number
  readonly joins: number
  readonly leaves: number
  readonly brokerRestarts: number
  /** Sum over partitions of end minus committed offset, when all was quiet. */
  readonly lag: number
  readonly seconds: number
  /** From the last event produced to lag zero. */
  readonly catchUpSeconds: number
}

const PROCESSES = 2
const BATCHES = 400
const KEYS = 1_000
const CATCH_UP_MS_MAX = 120_000
const PROCESSOR = join(import.meta.dir, "processor.ts")

/**
 * Two processes of one group carry numbered events from topic to topic, while they are killed, a third
 * joins and leaves, and the broker is restarted; then the topics are read and judged.
 */
export async function runChaos(broker: RestartableKafka, plan: ChaosPlan): Promise<ChaosReport> {
  const startedMs = performance.now()
  const kafka = kafkaClient({ brokers: broker.brokers })
  const topics = nameTopics()
  await ensureTopics(
    kafka,
    Object.values(topics).map((topic) => ({ topic })),
  )
  const live: Sighting[] = []
  const seen = new Set<string>()
  const outputs = [topics.out, topics.dead]
  const reader = await readTopics(kafka, outputs, (record, assignment) => {
    const one = sighting(record, assignment)
    live.push(one)
    seen.add(one.attempt)
  })
  const fleet = new Fleet(processorArguments(broker, topics, plan), plan)
  const [expected] = await Promise.all([produce(kafka, plan, topics), strike(plan, fleet, broker)])
  const producedMs = performance.now()
  const lag = await catchUp(kafka, topics)
  const caughtUpMs = performance.now()
  await fleet.stop()
  const log = await readWhole(kafka, outputs)
  await waitWithin(
    30_000,
    reader.until(() => seen.size >= log.length),
  )
  await reader.close()
  return {
    ...{ events: plan.events, kills: plan.kills, joins: fleet.joins, leaves: fleet.leaves },
    out: log.filter(({ topic }) => topic === topics.out).length,
    dead: log.filter(({ topic }) => topic === topics.dead).length,
    brokerRestarts: plan.brokerRestarts,
    ...judgeHistory(expected, log, live),
    lag,
    seconds: (performance.now() - startedMs) / 1_000,
    catchUpSeconds: (caughtUpMs - producedMs) / 1_000,
  }
}

type Topics = ReturnType<typeof nameTopics>

function nameTopics() {
  const run = randomUUID()
  return { group: `chaos-${run}`, input: `in-${run}`, out: `out-${run}`, dead: `dead-${run}` }
}

/** The arguments of processor.ts. */
function processorArguments(broker: RestartableKafka, topics: Topics, plan: ChaosPlan) {
  const { group, input, out, dead } = topics
  return [broker.brokers.join(","), group, input, out, dead, plan.guarantee ?? "exactly-once"]
}

/** The processes of the group, each replaced when it is killed. */
class Fleet {
  readonly #command: readonly string[]
  readonly #log: number
  #processes: Bun.Subprocess[]
  joins = 0
  leaves = 0

  constructor(command: readonly string[], plan: ChaosPlan) {
    this.#command = command
    this.#log = openSync(plan.logFile, "a")
    this.#processes = Array.from({ length: PROCESSES }, () => this.#spawn())
  }

  async killAndReplace(random: () => number): Promise<void> {
    const index = Math.floor(random() * this.#processes.length)
    const [victim] = this.#processes.splice(index, 1)
    victim?.kill("SIGKILL")
    await victim?.exited
    await Bun.sleep(random() * 2_000)
    this.#processes.push(this.#spawn())
  }

  join(): void {
    this.joins += 1
    this.#processes.push(this.#spawn())
  }

  /** The one that is longest there goes in good order. */
  async leave(): Promise<void> {
    this.leaves += 1
    await stopped(this.#processes.shift())
  }

  async stop(): Promise<void> {
    await Promise.all(this.#processes.map(stopped))
  }

  #spawn(): Bun.Subprocess {
    return Bun.spawn([process.execPath, PROCESSOR, ...this.#command], {
      stdin: "ignore",
      stdout: this.#log,
      stderr: this.#log,
    })
  }
}

async function stopped(child: Bun.Subprocess | undefined): Promise<void> {
  child?.kill("SIGTERM")
  const code = await child?.exited
  if (code !== 0) throw new Error(`a processor ended with ${code}`)
}

/** All faults at instants that the seed decides, one after the other. */
async function strike(plan: ChaosPlan, fleet: Fleet, broker: RestartableKafka): Promise<void> {
  const random = seededRandom(plan.seed)
  const at = (share: number, fault: () => Promise<void> | void) => ({ share, fault })
  const faults = [
    ...Array.from({ length: plan.kills }, () =>
      at(0.03 + 0.94 * random(), () => fleet.killAndReplace(random)),
    ),
    ...Array.from({ length: plan.brokerRestarts }, (_, index) =>
      at((index + 0.5) / plan.brokerRestarts, () => broker.restart()),
    ),
    at(0.2, () => fleet.join()),
    at(0.7, () => fleet.leave()),
  ].sort((one, other) => one.share - other.share)
  const startedMs = performance.now()
  for (const { share, fault } of faults) {
    const dueMs = startedMs + share * plan.durationMs
    await Bun.sleep(Math.max(0, dueMs - performance.now()))
    await fault()
  }
}

/** Paced over the whole duration; a batch is repeated until the broker has acknowledged it. */
async function produce(kafka: Kafka, plan: ChaosPlan, topics: Topics) {
  const random = seededRandom(plan.seed + 1)
  const expected = new Map<number, string>()
  const producer = idempotentProducer(kafka)
  await producer.connect()
  const startedMs = performance.now()
  for (let batch = 0; batch < BATCHES; batch += 1) {
    const from = Math.floor((batch * plan.events) / BATCHES)
    const to = Math.floor(((batch + 1) * plan.events) / BATCHES)
    const messages = Array.from({ length: to - from }, (_, index) => {
      const poisoned = random() < plan.poisonShare
      const id = from + index
      expected.set(id, poisoned ? topics.dead : topics.out)
      return { key: `key-${id % KEYS}`, value: JSON.stringify({ id, poisoned }) }
    })
    await sendPatiently(producer, topics.input, messages)
    const dueMs = startedMs + ((batch + 1) / BATCHES) * plan.durationMs
    await Bun.sleep(Math.max(0, dueMs - performance.now()))
  }
  await producer.disconnect()
  return expected
}

/** Idempotent: a repeated request has the sequence numbers of the first. */
async function sendPatiently(
  producer: Producer,
  topic: string,
  messages: { readonly key: string; readonly value: string }[],
): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await producer.send({ topic, acks: -1, messages })
      return
    } catch (error) {
      if (attempt >= 10) throw error
    }
  }
}

/** @returns the lag that is left when time is up, else 0 */
async function catchUp(kafka: Kafka, { group, input }: Topics): Promise<number> {
  const admin = kafka.admin()
  await admin.connect()
  const deadlineMs = performance.now() + CATCH_UP_MS_MAX
  for (;;) {
    const ends = await admin.fetchTopicOffsets(input)
    const [committed] = await admin.fetchOffsets({ groupId: group, topics: [input] })
    const lag = ends.reduce((sum, { partition, high }) => {
      const at = committed?.partitions.find((one) => one.partition === partition)?.offset ?? "0"
      return sum + Number(high) - Math.max(0, Number(at))
    }, 0)
    if (lag === 0 || performance.now() > deadlineMs) {
      await admin.disconnect()
      return lag
    }
    await Bun.sleep(250)
  }
}

/** From the first message to the last committed one, by a reader that saw nothing before. */
async function readWhole(kafka: Kafka, topics: readonly string[]): Promise<readonly Sighting[]> {
  const log: Sighting[] = []
  const reader = await readTopics(kafka, topics, (...one) => log.push(sighting(...one)))
  for (let before = -1; before < log.length; ) {
    before = log.length
    await Bun.sleep(3_000)
  }
  await reader.close()
  return log
}

function sighting(record: SourceRecord, assignment: number): Sighting {
  const { topic, partition, offset, key, value } = record
  const { id, attempt } = JSON.parse(new TextDecoder().decode(value))
  return { topic, partition, offset, key: key ?? "", id, attempt, assignment }
}

/** What is missing by then shows in the report. */
async function waitWithin(timeoutMs: number, waiting: Promise<void>): Promise<void> {
  await Promise.race([waiting, Bun.sleep(timeoutMs)])
}
