import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { randomUUID } from "node:crypto"
import { connect } from "node:net"
import { Kafka as Client } from "kafkajs"
import { systemClock } from "../../src/clock.ts"
import { ensureTopics, idempotentProducer, kafkaClient } from "../../src/connectors/kafka-client.ts"
import type { ProducedTopic } from "../../src/connectors/kafka-requests.ts"
import { kafkaSource } from "../../src/connectors/kafka-source.ts"
import { PartitionTransactions } from "../../src/connectors/kafka-transactions.ts"
import type { SourceRecord } from "../../src/stream/types.ts"
import { fetchBlackHole } from "../support/fetch-black-hole.ts"
import { seededRandom } from "../support/seeded-random.ts"
import { requireService } from "../support/services.ts"
import { readTopics } from "../support/topic-reader.ts"

/*
 * Goal: messages and offset of a commit are one, also when two processes believe that they own the
 * partition, and when a message turns out too large.
 * Method: transactions on a real broker, judged by a read_committed reader.
 */

const service = await requireService("kafka")
setDefaultTimeout(60_000)

describe.skipIf(service === undefined)("Kafka transactions", () => {
  const brokers = service?.brokers ?? []
  const kafka = kafkaClient({ brokers })
  const closing: (() => Promise<unknown> | unknown)[] = []
  afterAll(async () => {
    for (const close of closing.reverse()) await close()
  })

  async function rig(produced: Partial<ProducedTopic> = {}) {
    const run = randomUUID()
    const out = { topic: `out-${run}`, ...produced }
    await ensureTopics(kafka, [{ topic: `in-${run}` }, { topic: out.topic }])
    const id = { topic: `in-${run}`, partition: 2 }
    const owner = () => {
      const parts = { kafka, groupId: `group-${run}`, id, produces: [out] }
      const transactions = new PartitionTransactions(parts)
      closing.push(() => transactions.close())
      return transactions
    }
    /** A broker that has just begun has no coordinator for the group yet. */
    const fresh = async () => {
      for (let attempt = 1; ; attempt += 1) {
        const transactions = owner()
        try {
          return { transactions, from: await transactions.acquire() }
        } catch (error) {
          if (attempt >= 20) throw error
          await Bun.sleep(500)
        }
      }
    }
    const message = (value: string) => ({ topic: out.topic, key: "k", value })
    const committed = async (count: number) => {
      const values: string[] = []
      const reader = await readTopics(kafka, [out.topic], ({ value }) =>
        values.push(new TextDecoder().decode(value)),
      )
      await reader.until(() => values.length >= count)
      await reader.close()
      return values
    }
    return { owner, fresh, message, committed }
  }

  test("PartitionTransactions sends messages in order and commits the offset with them", async () => {
    const { owner, fresh, message, committed } = await rig()
    const { transactions: first, from } = await fresh()
    expect(from).toBeUndefined()
    const many = Array.from({ length: 3_000 }, (_, index) => message(`${index}`.padEnd(1_000)))
    await first.commit(7n, many)
    await first.commit(9n, [])
    await first.commit(10n, [message("last")])
    expect(await owner().acquire()).toBe(10n)
    const values = (await committed(3_001)).map((value) => value.trim())
    expect(values).toEqual([...many.map((_, index) => `${index}`), "last"])
  })

  test("PartitionTransactions fences the last owner, whose commit neither sends nor moves the offset", async () => {
    const { owner, fresh, message, committed } = await rig()
    const { transactions: zombie } = await fresh()
    await zombie.commit(1n, [message("a")])
    const heir = owner()
    expect(await heir.acquire()).toBe(1n)
    await expect(zombie.commit(2n, [message("zombie")])).rejects.toMatchObject({
      code: "PARTITION_LOST",
    })
    await heir.commit(3n, [message("b")])
    expect(await committed(2)).toEqual(["a", "b"])
    expect(await owner().acquire()).toBe(3n)
  })

  test("PartitionTransactions.acquire sees a commit that was under way if, and only if, its messages are out", async () => {
    const { owner, fresh, message, committed } = await rig()
    const random = seededRandom(11)
    let { transactions: last, from = 0n } = await fresh()
    const out: string[] = []
    for (let round = 0; round < 40; round += 1) {
      const commit = last.commit(from + 1n, [message(`${round}`)]).catch(() => undefined)
      await Bun.sleep(random() * 12)
      const heir = owner()
      const seen = (await heir.acquire()) ?? 0n
      await commit
      if (seen > from) out.push(`${round}`)
      from = seen
      last = heir
    }
    await last.commit(from + 1n, [message("end")])
    expect(out.length).toBeGreaterThan(0)
    expect(await committed(out.length + 1)).toEqual([...out, "end"])
  })

  test("PartitionTransactions sends something else instead of a message that the topic does not take, and the others whole", async () => {
    const { owner, fresh, message, committed } = await rig({
      instead: ({ value, ...rest }) => ({ ...rest, value: value.slice(0, 10) }),
    })
    const { transactions } = await fresh()
    await transactions.commit(5n, [message("small"), message("x".repeat(1_100_000)), message("z")])
    expect(await committed(3)).toEqual(["small", "x".repeat(10), "z"])
    expect(await owner().acquire()).toBe(5n)
  })

  test("kafkaSource takes a partition anew from the committed offset after it was fenced", async () => {
    const { message } = await rig()
    const topic = `in-${randomUUID()}`
    const groupId = randomUUID()
    const records: SourceRecord[] = []
    const waiting = new Set<() => void>()
    const until = (met: () => boolean) =>
      new Promise<void>((resolve) => {
        const check = () => (met() ? resolve() : undefined)
        waiting.add(check)
        check()
      })
    const source = kafkaSource(kafka, {
      ...{ topics: [topic], groupId, sessionTimeoutMs: 6_000 },
      produces: [{ topic: message("").topic }],
    })
    closing.push(() => source.close())
    await source.start({
      ...{ assigned: () => undefined, revoked: async () => undefined },
      ...{ ended: () => undefined, failed: () => undefined },
      record(record) {
        records.push(record)
        for (const check of waiting) check()
        return true
      },
    })
    const producer = idempotentProducer(kafka)
    await producer.connect()
    const values = ["0", "1", "2", "3"].map((value) => ({ value, partition: 0 }))
    await producer.send({ topic, messages: values })
    await until(() => records.length === 4)
    await source.commit({ topic, partition: 0 }, 2n, [message("0"), message("1")])
    const id = { topic, partition: 0 }
    const intruder = new PartitionTransactions({ kafka, groupId, id, produces: [] })
    await intruder.acquire()
    await intruder.close()
    const late = source.commit(id, 4n, [message("2"), message("3")])
    await expect(late).rejects.toMatchObject({ code: "PARTITION_LOST" })
    await until(() => records.length === 6)
    expect(records.map(({ offset }) => Number(offset))).toEqual([0, 1, 2, 3, 2, 3])
    await source.commit(id, 4n, [message("2"), message("3")])
    await producer.disconnect()
  })

  test("kafkaSource is rebuilt when its fetches stop coming back, and says so", async () => {
    const hole = await fetchBlackHole(brokers[0] ?? "")
    const proxied = new Client({
      brokers: [...brokers],
      logLevel: 0,
      socketFactory: ({ onConnect }) => connect(hole.port, "127.0.0.1", onConnect),
    })
    const topic = `in-${randomUUID()}`
    const seen = new Map<string, () => void>()
    const arrived = (text: string) => new Promise<void>((resolve) => seen.set(text, resolve))
    const rebuilt: string[][] = []
    const source = kafkaSource(proxied, {
      ...{ topics: [topic], groupId: randomUUID(), sessionTimeoutMs: 6_000 },
      produces: [],
      watchdog: {
        ...{ clock: systemClock, stalledAfterMs: 1_500, checkEveryMs: 300 },
        onRebuilt: (stalled) => rebuilt.push([...stalled]),
      },
    })
    await source.start({
      ...{ assigned: () => undefined, revoked: async () => undefined },
      ...{ ended: () => undefined, failed: () => undefined },
      record({ value }) {
        seen.get(new TextDecoder().decode(value))?.()
        return true
      },
    })
    const producer = idempotentProducer(kafka)
    await producer.connect()
    const before = arrived("before")
    await producer.send({ topic, messages: [{ value: "before", partition: 1 }] })
    await before
    expect(rebuilt).toEqual([])
    hole.swallowFetches()
    const after = arrived("after")
    await producer.send({ topic, messages: [{ value: "after", partition: 1 }] })
    await after
    expect(rebuilt[0]).toEqual([`${topic}/1`])
    await producer.disconnect()
    await source.close()
    hole.close()
  })
})
