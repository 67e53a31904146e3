import type { Kafka } from "../../src/connectors/kafka-client.ts"

const QUIET_MS = 20_000

/**
 * The values of all committed messages of a topic, up to its end at the time of the call.
 * @throws Error when nothing comes for QUIET_MS before the end is reached
 */
export async function readOutputs(kafka: Kafka, topic: string): Promise<readonly string[]> {
  const ends = await endsOf(kafka, topic)
  if (ends.size === 0) return []
  const values: string[] = []
  const consumer = kafka.consumer({ groupId: `check-${crypto.randomUUID()}`, maxWaitTimeInMs: 100 })
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  const timer = setTimeout(() => reject(new Error(`${topic} has no end`)), QUIET_MS)
  const reached = (partition: number, next: bigint) => {
    timer.refresh()
    if (next >= (ends.get(partition) ?? 0n)) ends.delete(partition)
    if (ends.size === 0) resolve()
  }
  // a batch of nothing but transaction markers is not handed over
  consumer.on(consumer.events.END_BATCH_PROCESS, ({ payload }) => {
    reached(payload.partition, BigInt(payload.lastOffset) + 1n)
  })
  await consumer.connect()
  await consumer.subscribe({ topic, fromBeginning: true })
  await consumer.run({
    eachBatch: async ({ batch }) => {
      for (const { value } of batch.messages) values.push(value?.toString() ?? "")
    },
  })
  await promise.finally(() => clearTimeout(timer))
  await consumer.disconnect()
  return values
}

async function endsOf(kafka: Kafka, topic: string): Promise<Map<number, bigint>> {
  const admin = kafka.admin()
  await admin.connect()
  const offsets = await admin.fetchTopicOffsets(topic)
  await admin.disconnect()
  const filled = offsets.filter(({ low, high }) => BigInt(high) > BigInt(low))
  return new Map(filled.map(({ partition, high }) => [partition, BigInt(high)]))
}
