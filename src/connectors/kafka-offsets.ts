import { type PartitionId, partitionKey } from "../stream/types.ts"
import { type Admin, type Kafka, withAdmin } from "./kafka-client.ts"

/**
 * What the group has committed for the partition; undefined where it has committed nothing.
 * @throws UnavailableError
 */
export async function committedOffset(
  kafka: Kafka,
  groupId: string,
  { topic, partition }: PartitionId,
): Promise<bigint | undefined> {
  const committed = await withAdmin(kafka, (admin) => committedOffsets(admin, groupId, topic))
  return committed.get(partition)
}

export interface GroupOffsets {
  readonly partition: number
  /** The first offset that the partition still holds, and the one that its next message gets. */
  readonly low: bigint
  readonly high: bigint
  /** Undefined where the group has committed nothing. */
  readonly committed: bigint | undefined
}

/** How far a group is in each partition; none where there is no such topic. @throws UnavailableError */
export function groupOffsets(
  kafka: Kafka,
  groupId: string,
  topic: string,
): Promise<readonly GroupOffsets[]> {
  return withAdmin(kafka, async (admin) => {
    if (!(await admin.listTopics()).includes(topic)) return []
    const committed = await committedOffsets(admin, groupId, topic)
    const ends = await admin.fetchTopicOffsets(topic)
    return ends.map(({ partition, low, high }) => ({
      ...{ partition, low: BigInt(low), high: BigInt(high) },
      committed: committed.get(partition),
    }))
  })
}

/** By partition. */
async function committedOffsets(
  admin: Admin,
  groupId: string,
  topic: string,
): Promise<ReadonlyMap<number, bigint>> {
  const [offsets] = await admin.fetchOffsets({ groupId, topics: [topic] })
  // negative where nothing was committed
  const known = offsets?.partitions.filter(({ offset }) => !offset.startsWith("-")) ?? []
  return new Map(known.map(({ partition, offset }) => [partition, BigInt(offset)]))
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
