import { randomUUID } from "node:crypto"
import type { Kafka } from "../../src/connectors/kafka-client.ts"
import { kafkaSource } from "../../src/connectors/kafka-source.ts"
import type { SourceRecord } from "../../src/stream/types.ts"

export interface TopicReader {
  /** Resolves as soon as `met` is true, which is asked after every record. */
  until(met: () => boolean): Promise<void>
  close(): Promise<void>
}

/** Hands every record of the topics, from the first one on, to `onRecord`. */
export async function readTopics(
  kafka: Kafka,
  topics: readonly string[],
  onRecord: (record: SourceRecord) => void,
): Promise<TopicReader> {
  const waiting = new Map<() => boolean, () => void>()
  const check = () => {
    for (const [met, resolve] of waiting) if (met()) resolve()
  }
  const source = kafkaSource(kafka, { topics, groupId: `reader-${randomUUID()}` })
  await source.start({
    assigned: () => undefined,
    revoked: async () => undefined,
    record(record) {
      onRecord(record)
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
