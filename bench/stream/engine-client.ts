import { systemClock } from "../../src/clock.ts"
import { kafkaClient } from "../../src/connectors/kafka-client.ts"
import { KafkaPublisher } from "../../src/connectors/kafka-publisher.ts"
import { kafkaSource } from "../../src/connectors/kafka-source.ts"
import { Dataflow } from "../../src/stream/dataflow.ts"
import { Engine } from "../../src/stream/engine.ts"
import type { DeadLetter, MessageSink, Operator, SourceRecord } from "../../src/stream/types.ts"
import { createTelemetry } from "../../src/telemetry.ts"
import { readArguments } from "./arguments.ts"
import { type Routed, verifyAndScore } from "./work.ts"

/**
 * Sentinel's engine on the work, with everything around it: order, acks, dead letters, metrics.
 * Exactly once where the last argument says so, else at least once.
 */
const { brokers, count, groupId, input, output, dead } = readArguments(process.argv.slice(2))
const isExactlyOnce = process.argv.at(-1) === "exactly-once"
const kafka = kafkaClient({ brokers })
const telemetry = createTelemetry()
const finished = Promise.withResolvers<void>()
let done = 0
const startedMs = Date.now()
let assignedMs = 0

const verify: Operator<SourceRecord, Routed> = {
  name: "verify_and_score",
  concurrency: 512,
  process: ({ value }) => verifyAndScore(value),
}
const route: MessageSink<Routed> = {
  name: "route",
  message: (routed) => ({ topic: output, key: routed.session_id, value: JSON.stringify(routed) }),
}
const letters: MessageSink<DeadLetter> = {
  name: "dead",
  message: ({ record: { key, value } }) => ({
    ...{ topic: dead, key },
    value: Buffer.from(value).toString(),
  }),
}
const produces = [{ topic: output }, { topic: dead }]
const engine = new Engine({
  flow: Dataflow.named<SourceRecord>("verify_and_route").via(verify).to(route),
  sources: [kafkaSource(kafka, { topics: [input], groupId, ...(isExactlyOnce && { produces }) })],
  deadLetters: [letters],
  publisher: new KafkaPublisher(kafka, produces),
  clock: systemClock,
  observer: {
    ...telemetry,
    partitionChanged(partition, event) {
      telemetry.partitionChanged(partition, event)
      if (event === "assigned") assignedMs = Date.now()
    },
    recordDone(record, outcome, seconds) {
      telemetry.recordDone(record, outcome, seconds)
      done += 1
      if (done === 1) tellFirst()
      if (done === count) finished.resolve()
    },
  },
  random: Math.random,
})
/** Read by the measurement of recovery. */
function tellFirst(): void {
  process.stdout.write(`${JSON.stringify({ startedMs, assignedMs, firstMs: Date.now() })}\n`)
}

await engine.start()
await finished.promise
await engine.drain(10_000)
process.exit(0)
