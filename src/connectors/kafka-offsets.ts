import { type PartitionId, partitionKey } from "../stream/types.ts"
import { type Kafka, withAdmin } from "./kafka-client.ts"

/**
 * What the group has committed for the partition; undefined where it has committed nothing.
 * @throws UnavailableError
 */
export async function committedOffset(
  kafka: Kafka,
  groupId: string,
  { topic, partition }: PartitionId,
): Promise<bigint | undefined> {
  const [offsets] = await withAdmin(kafka, (admin) =>
    admin.fetchOffsets({ groupId, topics: [topic] }),
  )
  const offset = offsets?.partitions.find((one) => one.partition === partition)?.offset
  // negative where nothing was committed
  return offset === undefined || offset.startsWith("-") ? undefined : BigInt(offset)
}

/** The first offset that the partition still holds. @throws UnavailableError */
export async function earliestOffset(kafka: Kafka, id: PartitionId): Promise<bigint> {
  const offsets = await withAdmin(kafka, (admin) => admin.fetchTopicOffsets(id.topic))
  return BigInt(offsets.find(({ partition }) => partition === id.partition)?.low ?? 0)
}

/** The offset that the next message of each partition gets, by `partitionKey`. @throws UnavailableError */
export async function endOffsets(
  kafka: Kafka,
  topics: readonly string[],
): Promise<ReadonlyMap<string, bigint>> {
  const ends = new Map<string, bigint>()
  await withAdmin(kafka, async (admin) => {
    for (const topic of topics) {
      for (const { partition, high } of await admin.fetchTopicOffsets(topic)) {
        ends.set(partitionKey({ topic, partition }), BigInt(high))
      }
    }
  })
  return ends
}
