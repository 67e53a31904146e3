import type { Kafka } from "../../src/connectors/kafka-client.ts"
import { type Row, row } from "../harness.ts"
import { loadRecords, MALFORMED } from "./load.ts"
import { bunProgram, runClient } from "./run-client.ts"

const COUNT = 10_000
const MALFORMED_AT = 4_321

/** One malformed record among 10,000: all others arrive, it lies in the dead topic, nothing stops. */
export async function poisonRow(kafka: Kafka, brokers: readonly string[]): Promise<Row> {
  const topic = `bench.poison.${crypto.randomUUID()}`
  await loadRecords(kafka, {
    topic,
    count: COUNT,
    kindOf: (index) => (index === MALFORMED_AT ? "malformed" : "good"),
  })
  const client = { name: "poison_survived", command: bunProgram("engine-client.ts") }
  const input = { brokers, topic, count: COUNT, dead: 1 }
  const { arrived, letters } = await runClient(kafka, client, input)
  if (letters[0] !== MALFORMED) throw new Error("the dead letter has other bytes than the record")
  return row({
    name: "poison_survived",
    value: arrived,
    unit: "records",
    goal: { of: "value", least: COUNT - 1 },
  })
}
