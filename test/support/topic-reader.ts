import { randomUUID } from "node:crypto"
import type { Kafka } from "../../src/connectors/kafka-client.ts"
import { kafkaSource } from "../../src/connectors/kafka-source.ts"
import type { SourceRecord } from "../../src/stream/types.ts"

export interface TopicReader {
  /** Resolves as soon as `met` is true, which is asked after every record. */
  until(met: () => boolean): Promise<void>
  close(): Promise<void>
}

/**
 * Hands every record of the topics, from the first one on, to `onRecord`. After its group has changed
 * (a broker came back) it begins anew: `assignment` says how often that was, from 1.
 */
export async function readTopics(
  kafka: Kafka,
  topics: readonly string[],
  onRecord: (record: SourceRecord, assignment: number) => void,
): Promise<TopicReader> {
  const waiting = new Map<() => boolean, () => void>()
  const check = () => {
    for (const [met, resolve] of waiting) if (met()) resolve()
  }
  const assignments = new Map<string, number>()
  const source = kafkaSource(kafka, { topics, groupId: `reader-${randomUUID()}` })
  await source.start({
    assigned: ({ topic, partition }) => {
      const place = `${topic}/${partition}`
      assignments.set(place, (assignments.get(place) ?? 0) + 1)
    },
    revoked: async () => undefined,
    record(record) {
      onRecord(record, assignments.get(`${record.topic}/${record.partition}`) ?? 0)
      check()
      return true
    },
    ended: () => undefined,
    failed: (error) => {
      throw error
    },
  })
  return {
    async until(met) {
      const { promise, resolve } = Promise.withResolvers<void>()
      waiting.set(met, resolve)
      check()
      await promise
      waiting.delete(met)
    },
    close: () => source.close(),
  }
}
