import type { Kafka } from "../../src/connectors/kafka-client.ts"
import { type Row, row, type SuiteOptions } from "../harness.ts"
import { loadRecords } from "./load.ts"
import { bunProgram, runClient } from "./run-client.ts"
import { WORK } from "./work.ts"

const COUNTS = { quick: [100_000, 300_000], full: [100_000, 1_000_000] } as const

/** Peak memory of the engine over many records, against that over so few that the heap is just warm. */
export async function memoryGrowthRow(
  kafka: Kafka,
  brokers: readonly string[],
  { quick, progress }: SuiteOptions,
): Promise<Row> {
  const [few, many] = quick ? COUNTS.quick : COUNTS.full
  const peakOf = async (count: number): Promise<number> => {
    progress(`peak memory over ${count} records`)
    const topic = `bench.memory.${crypto.randomUUID()}`
    await loadRecords(kafka, { topic, count })
    const client = { name: "memory_growth", command: bunProgram("engine-client.ts") }
    const input = { brokers, topic, count, dead: Math.round(count * WORK.wrong) }
    return (await runClient(kafka, client, input)).peakMiB
  }
  const baseline = await peakOf(few)
  return row({
    name: `memory_growth, ${few} to ${many} records`,
    value: await peakOf(many),
    unit: "MiB",
    baseline,
    goal: { of: "ratio", below: 1.05 },
  })
}
