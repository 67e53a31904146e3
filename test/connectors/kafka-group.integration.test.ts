import { describe, expect, setDefaultTimeout, test } from "bun:test"
import { randomUUID } from "node:crypto"
import { systemClock } from "../../src/clock.ts"
import { ensureTopics, idempotentProducer, kafkaClient } from "../../src/connectors/kafka-client.ts"
import { kafkaSource } from "../../src/connectors/kafka-source.ts"
import { Dataflow } from "../../src/stream/dataflow.ts"
import { Engine } from "../../src/stream/engine.ts"
import type { EngineObserver, SourceRecord } from "../../src/stream/types.ts"
import { requireService } from "../support/services.ts"

/*
 * Goal: members of a group may come and go while records flow; none is lost, and none repeated.
 * Method: three engines join and leave one group on real Kafka; every record must reach a sink once, and
 * the offsets committed in the end must be those of the last records.
 */

const service = await requireService("kafka")
setDefaultTimeout(120_000)

const RECORDS = 20_000
const PARTITIONS = 4

const silent: EngineObserver = {
  operatorDone: () => undefined,
  retried: () => undefined,
  deadLettered: () => undefined,
  recordDone: () => undefined,
  committed: () => undefined,
}

describe.skipIf(service === undefined)("a consumer group of engines", () => {
  const kafka = kafkaClient({ brokers: service?.brokers ?? [] })

  test("Engine over kafkaSource loses no record while members join and leave", async () => {
    const topic = `test.${randomUUID()}`
    const groupId = randomUUID()
    await ensureTopics(kafka, [{ topic }])
    const seen = new Map<string, number>()
    const enough = new Map<number, () => void>()
    const reach = (count: number) => new Promise<void>((resolve) => enough.set(count, resolve))
    const sink = {
      name: "count",
      guarantee: "idempotent" as const,
      concurrency: 64,
      async write({ partition, offset }: SourceRecord) {
        await Bun.sleep(1)
        const id = `${partition}/${offset}`
        seen.set(id, (seen.get(id) ?? 0) + 1)
        for (const [count, resolve] of enough) if (seen.size >= count) resolve()
      },
    }
    const join = async () => {
      const engine = new Engine({
        flow: Dataflow.named<SourceRecord>("test").to(sink),
        sources: [kafkaSource(kafka, { topics: [topic], groupId, sessionTimeoutMs: 6_000 })],
        deadLetters: [],
        clock: systemClock,
        observer: silent,
        random: () => 0.5,
      })
      await engine.start()
      return engine
    }

    const milestones = [0.1, 0.3, 0.5, 1].map((share) => reach(share * RECORDS))
    const first = await join()
    const producing = produce(topic)
    await milestones[0]
    const second = await join()
    await milestones[1]
    const third = await join()
    await first.drain(5_000)
    await milestones[2]
    await second.drain(5_000)
    await producing
    await milestones[3]
    await third.drain(5_000)

    expect(seen.size).toBe(RECORDS)
    const admin = kafka.admin()
    await admin.connect()
    const [committed] = await admin.fetchOffsets({ groupId, topics: [topic] })
    const ends = await admin.fetchTopicOffsets(topic)
    await admin.disconnect()
    const byPartition = (offsets: readonly { partition: number; offset: string }[] = []) =>
      Object.fromEntries(offsets.map(({ partition, offset }) => [partition, offset]))
    expect(byPartition(committed?.partitions)).toEqual(byPartition(ends))
    const repeated = [...seen.values()].filter((times) => times > 1).length
    // what is in flight is finished, and committed, before the group gives a partition to another
    expect(repeated).toBe(0)
  })

  async function produce(topic: string): Promise<void> {
    const producer = idempotentProducer(kafka)
    await producer.connect()
    for (let from = 0; from < RECORDS; from += 1_000) {
      const messages = Array.from({ length: 1_000 }, (_, index) => ({
        key: `key-${(from + index) % 500}`,
        value: String(from + index),
        partition: (from + index) % PARTITIONS,
      }))
      await producer.send({ topic, messages })
    }
    await producer.disconnect()
  }
})
