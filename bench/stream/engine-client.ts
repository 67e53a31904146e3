import { systemClock } from "../../src/clock.ts"
import { kafkaClient } from "../../src/connectors/kafka-client.ts"
import { kafkaSource } from "../../src/connectors/kafka-source.ts"
import { KafkaTopic } from "../../src/connectors/kafka-topic.ts"
import { Dataflow } from "../../src/stream/dataflow.ts"
import { Engine } from "../../src/stream/engine.ts"
import type { DeadLetter, Operator, Sink, SourceRecord } from "../../src/stream/types.ts"
import { createTelemetry } from "../../src/telemetry.ts"
import { type Routed, verifyAndScore, WORK } from "./work.ts"

/** Sentinel's engine on the work, with everything around it: order, acks, dead letters, metrics. */
const [brokers = "", count = "0", groupId = ""] = process.argv.slice(2)
const kafka = kafkaClient({ brokers: brokers.split(",") })
const output = new KafkaTopic(kafka, { topic: WORK.output })
const dead = new KafkaTopic(kafka, { topic: WORK.dead })
const telemetry = createTelemetry()
const finished = Promise.withResolvers<void>()
let done = 0

const verify: Operator<SourceRecord, Routed> = {
  name: "verify_and_score",
  concurrency: 512,
  process: ({ value }) => verifyAndScore(value),
}
const route: Sink<Routed> = {
  name: "route",
  guarantee: "at-least-once",
  concurrency: 4_096,
  write: (routed, { signal }) =>
    output.publish({ key: routed.session_id, value: JSON.stringify(routed) }, signal),
}
const letters: Sink<DeadLetter> = {
  name: "dead",
  guarantee: "at-least-once",
  concurrency: 4_096,
  write: ({ record, code }, { signal }) =>
    dead.publish(
      { key: record.key, value: `${code} ${Buffer.from(record.value).toString("base64")}` },
      signal,
    ),
}
const engine = new Engine(
  {
    flow: Dataflow.named<SourceRecord>("verify_and_route").via(verify).to(route),
    sources: [kafkaSource(kafka, { topics: [WORK.input], groupId })],
    deadLetters: [letters],
    clock: systemClock,
    observer: {
      ...telemetry,
      recordDone(record, outcome, seconds) {
        telemetry.recordDone(record, outcome, seconds)
        done += 1
        if (done === Number(count)) finished.resolve()
      },
    },
    random: Math.random,
  },
  { inFlightMax: 1_024, bufferedMax: 2_048 },
)
await engine.start()
await finished.promise
await engine.drain(10_000)
process.exit(0)
