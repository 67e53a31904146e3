import { type Kafka, kafkaClient } from "../src/connectors/kafka-client.ts"
import { groupOffsets } from "../src/connectors/kafka-offsets.ts"

/** @throws Error where the harness did not start Kafka: a suite says so in `services` */
export function benchKafka(env: Readonly<Record<string, string | undefined>>): Kafka {
  const servers = env.KAFKA_BOOTSTRAP_SERVERS
  if (servers === undefined) throw new Error("the suite runs without Kafka")
  return kafkaClient({ brokers: servers.split(",") })
}

/** Records of a topic that a group is through with; 0 while its coordinator is not ready to tell. */
export async function committedRecords(
  kafka: Kafka,
  groupId: string,
  topic: string,
): Promise<number> {
  const offsets = await groupOffsets(kafka, groupId, topic).catch(() => [])
  return offsets.reduce((sum, { low, committed = low }) => sum + Number(committed - low), 0)
}

export interface ParseLoop {
  readonly topic: string
  readonly count: number
  /** What to do with each parsed event besides; default nothing. */
  readonly each?: (event: unknown) => Promise<void>
}

/**
 * Events per second of the least that a consumer can do: fetch, decode, JSON.parse.
 * Timed from the first batch to the last event, so that joining the group does not count.
 */
export async function parseLoopRate(kafka: Kafka, loop: ParseLoop): Promise<number> {
  const consumer = kafka.consumer({ groupId: `bench-${crypto.randomUUID()}` })
  await consumer.connect()
  await consumer.subscribe({ topic: loop.topic, fromBeginning: true })
  let began: number | undefined
  let seen = 0
  const { promise: done, resolve } = Promise.withResolvers<number>()
  await consumer.run({
    eachBatch: async ({ batch }) => {
      began ??= performance.now()
      for (const { value } of batch.messages) {
        const event: unknown = JSON.parse(value?.toString() ?? "null")
        if (loop.each !== undefined) await loop.each(event)
        seen++
      }
      if (seen >= loop.count) resolve(performance.now())
    },
  })
  const ended = await done
  await consumer.disconnect()
  return (seen * 1_000) / (ended - (began ?? 0))
}
