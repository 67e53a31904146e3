import { systemClock } from "../../../src/clock.ts"
import { kafkaClient } from "../../../src/connectors/kafka-client.ts"
import { KafkaPublisher } from "../../../src/connectors/kafka-publisher.ts"
import { kafkaSource } from "../../../src/connectors/kafka-source.ts"
import { MalformedError } from "../../../src/errors.ts"
import { Dataflow } from "../../../src/stream/dataflow.ts"
import { Engine } from "../../../src/stream/engine.ts"
import type {
  DeadLetter,
  EngineObserver,
  MessageSink,
  Operator,
  OutgoingMessage,
  SourceRecord,
} from "../../../src/stream/types.ts"

/*
 * The program that the chaos test kills: it reads numbered events and sends each on to "out", or,
 * where it is poisoned, to "dead". Every message names the attempt that made it, so that a message
 * of an aborted transaction can be told from its repetition.
 *
 * bun processor.ts BROKERS GROUP IN OUT DEAD [exactly-once|at-least-once]
 */

const [brokers = "", groupId = "", input = "", out = "", dead = "", guarantee = "exactly-once"] =
  process.argv.slice(2)

interface Numbered {
  readonly id: number
  readonly key: string
}

let attempts = 0

function numbered(topic: string, { id, key }: Numbered): OutgoingMessage {
  attempts += 1
  return { topic, key, value: JSON.stringify({ id, attempt: `${process.pid}-${attempts}` }) }
}

function parse({ value, key }: SourceRecord): { id: number; key: string; poisoned: boolean } {
  const { id, poisoned } = JSON.parse(new TextDecoder().decode(value))
  return { id, key: key ?? "", poisoned }
}

const decode: Operator<SourceRecord, Numbered> = {
  name: "decode",
  concurrency: 64,
  process(record) {
    const event = parse(record)
    if (event.poisoned) throw new MalformedError("poisoned", "false")
    return event
  },
}

const kafka = kafkaClient({
  brokers: brokers.split(","),
  log: ({ level, message }) => process.stderr.write(`${level} ${message}\n`),
})

function topicSink<T>(topic: string, describe: (input: T) => Numbered): MessageSink<T> {
  return { name: topic, message: (value) => numbered(topic, describe(value)) }
}

const observer: EngineObserver = {
  operatorDone: () => undefined,
  retried: (operator, code) => process.stderr.write(`retried ${operator} ${code}\n`),
  deadLettered: () => undefined,
  recordDone: () => undefined,
  committed: () => undefined,
}

const produces = [{ topic: out }, { topic: dead }]
const source = kafkaSource(kafka, {
  ...{ topics: [input], groupId, sessionTimeoutMs: 6_000 },
  ...(guarantee === "exactly-once" ? { produces } : {}),
  watchdog: { clock: systemClock, onRebuilt: () => process.stderr.write("rebuilt\n") },
})
const engine = new Engine({
  flow: Dataflow.named<SourceRecord>("chaos")
    .via(decode)
    .to(topicSink<Numbered>(out, (event) => event)),
  sources: [source],
  deadLetters: [topicSink<DeadLetter>(dead, ({ record }) => parse(record))],
  publisher: new KafkaPublisher(kafka, produces),
  clock: systemClock,
  observer,
  random: Math.random,
})

process.on("SIGTERM", async () => {
  await engine.drain(5_000)
  const { user, system } = process.cpuUsage()
  process.stdout.write(`${JSON.stringify({ cpuSeconds: (user + system) / 1e6 })}\n`)
  process.exit(0)
})
await engine.start()
await engine.finished
