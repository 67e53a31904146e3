import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { randomUUID } from "node:crypto"
import {
  ensureTopics,
  idempotentProducer,
  type Kafka,
  kafkaClient,
} from "../../src/connectors/kafka-client.ts"
import { kafkaDeadLetters, letterOfMessage } from "../../src/connectors/kafka-dead-letters.ts"
import { KafkaPublisher } from "../../src/connectors/kafka-publisher.ts"
import { kafkaSource } from "../../src/connectors/kafka-source.ts"
import type {
  OutgoingMessage,
  PartitionId,
  SourceListener,
  SourceRecord,
} from "../../src/stream/types.ts"
import { requireService } from "../support/services.ts"

const service = await requireService("kafka")
setDefaultTimeout(60_000)

/** Notes all that a source says; `until` resolves when the notes satisfy a condition. */
class Recorder implements SourceListener {
  readonly records: SourceRecord[] = []
  readonly assignments: PartitionId[] = []
  readonly revocations: PartitionId[] = []
  readonly failures: unknown[] = []
  takes: (record: SourceRecord) => boolean = () => true
  onRevoked: (id: PartitionId) => Promise<void> = async () => {}
  #waiting: { readonly met: () => boolean; readonly resolve: () => void }[] = []

  until(met: () => boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#waiting.push({ met, resolve })
    this.#check()
    return promise
  }
  assigned(id: PartitionId): void {
    this.assignments.push(id)
    this.#check()
  }
  async revoked(id: PartitionId): Promise<void> {
    this.revocations.push(id)
    this.#check()
    await this.onRevoked(id)
  }
  record(record: SourceRecord): boolean {
    this.records.push(record)
    this.#check()
    return this.takes(record)
  }
  ended(): void {}
  failed(error: unknown): void {
    this.failures.push(error)
  }
  texts(): string[] {
    return this.records.map(({ value }) => new TextDecoder().decode(value))
  }
  #check(): void {
    for (const { met, resolve } of this.#waiting) if (met()) resolve()
  }
}

describe.skipIf(service === undefined)("Kafka", () => {
  const brokers = service?.brokers ?? []
  const closing: (() => Promise<unknown>)[] = []
  let kafka: Kafka

  beforeAll(() => {
    kafka = kafkaClient({ brokers })
  })
  afterAll(async () => {
    for (const close of closing.reverse()) await close()
  })

  async function topics(count: number): Promise<string[]> {
    const names = Array.from({ length: count }, () => `test.${randomUUID()}`)
    await ensureTopics(
      kafka,
      names.map((topic) => ({ topic })),
    )
    return names
  }

  async function produce(topic: string, values: readonly string[], partition = 0): Promise<void> {
    const producer = idempotentProducer(kafka)
    await producer.connect()
    const messages = values.map((value) => ({ key: "k", value, partition, headers: { h: "1" } }))
    await producer.send({ topic, messages })
    await producer.disconnect()
  }

  async function reading(topicNames: readonly string[], groupId: string = randomUUID()) {
    const recorder = new Recorder()
    const source = kafkaSource(kafka, { topics: topicNames, groupId, sessionTimeoutMs: 6_000 })
    closing.push(() => source.close())
    await source.start(recorder)
    return { recorder, source, groupId }
  }

  const numbers = (from: number, to: number) =>
    Array.from({ length: to - from }, (_, index) => String(from + index))

  test("kafkaSource reads several topics from the earliest offset, bytes, key and headers intact", async () => {
    const [one = "", two = ""] = await topics(2)
    await produce(one, ["a", "b"])
    await produce(two, ["c"])
    const { recorder, source } = await reading([one, two])
    await recorder.until(() => recorder.records.length === 3)
    expect(recorder.texts().sort()).toEqual(["a", "b", "c"])
    expect(recorder.records[0]).toMatchObject({ key: "k", headers: { h: "1" }, offset: 0n })
    expect(recorder.assignments).toHaveLength(8)
    expect(source.lag().every(({ records }) => records === 0n)).toBe(true)
  })

  test("kafkaSource creates topics that are missing", async () => {
    const topic = `test.${randomUUID()}`
    const { recorder } = await reading([topic])
    expect(recorder.assignments.map((id) => id.topic)).toEqual([topic, topic, topic, topic])
  })

  test("kafkaSource goes on after the committed offset in its next life", async () => {
    const [topic = ""] = await topics(1)
    await produce(topic, numbers(0, 10))
    const first = await reading([topic])
    await first.recorder.until(() => first.recorder.records.length === 10)
    await first.source.stop()
    await first.source.commit({ topic, partition: 0 }, 7n)
    await first.source.close()
    const second = await reading([topic], first.groupId)
    await second.recorder.until(() => second.recorder.records.length === 3)
    expect(second.recorder.texts()).toEqual(["7", "8", "9"])
  })

  test("kafkaSource holds one partition, keeps order, and lets the others go on", async () => {
    const [topic = ""] = await topics(1)
    const { recorder, source } = await reading([topic])
    recorder.takes = ({ partition, offset }) => partition !== 0 || offset !== 4n
    await produce(topic, numbers(0, 50), 0)
    await recorder.until(() => recorder.records.some(({ offset }) => offset === 4n))
    await produce(topic, numbers(0, 50), 1)
    await recorder.until(
      () => recorder.records.filter(({ partition }) => partition === 1).length === 50,
    )
    const held = () => recorder.records.filter(({ partition }) => partition === 0)
    expect(held()).toHaveLength(5)
    expect(source.lag().find(({ partition }) => partition === 0)?.records).toBe(45n)
    source.resume({ topic, partition: 0 })
    await recorder.until(() => held().length === 50)
    expect(held().map(({ offset }) => offset)).toEqual(numbers(0, 50).map(BigInt))
    await produce(topic, ["after"], 0)
    await recorder.until(() => held().length === 51)
  })

  test("kafkaSource lets nobody join before every partition is given back, and its commit taken", async () => {
    const [topic = ""] = await topics(1)
    await produce(topic, numbers(0, 20))
    const first = await reading([topic])
    await first.recorder.until(() => first.recorder.records.length === 20)
    // a busy broker may have had it join twice
    const [assigned, revoked] = [
      first.recorder.assignments.length,
      first.recorder.revocations.length,
    ]
    const letGo = Promise.withResolvers<void>()
    const given: string[] = []
    first.recorder.onRevoked = async (id) => {
      await letGo.promise
      if (id.partition !== 0) return
      await first.source.commit(id, 20n)
      given.push("committed")
    }
    const joining = reading([topic], first.groupId)
    void joining.then(() => given.push("joined"))
    await first.recorder.until(() => first.recorder.revocations.length === revoked + 4)
    expect(first.recorder.assignments).toHaveLength(assigned)
    letGo.resolve()
    const second = await joining
    expect(given).toEqual(["committed", "joined"])
    await first.recorder.until(() => first.recorder.assignments.length === assigned + 2)
    expect(second.recorder.assignments).toHaveLength(2)
    const lost = second.recorder.assignments[0]
    await expect(first.source.commit(lost ?? { topic, partition: -1 }, 1n)).rejects.toMatchObject({
      code: "PARTITION_LOST",
    })
    expect(first.recorder.failures).toEqual([])
  })

  test("kafkaSource delivers nothing after stop has resolved", async () => {
    const [topic = ""] = await topics(1)
    const { recorder, source } = await reading([topic])
    await source.stop()
    await produce(topic, ["late"])
    // by the time that another group has read it, this one would have too
    const other = await reading([topic])
    await other.recorder.until(() => other.recorder.records.length === 1)
    await source.close()
    expect(recorder.records).toEqual([])
  })

  test("kafkaSource refuses to start when no broker answers", async () => {
    const nowhere = kafkaClient({ brokers: ["127.0.0.1:1"] })
    const source = kafkaSource(nowhere, { topics: ["t"], groupId: "g" })
    await expect(source.start(new Recorder())).rejects.toMatchObject({ code: "UNAVAILABLE" })
  })

  const messages = (topic: string, values: readonly string[]) =>
    values.map((value) => ({ topic, key: `key-${value.length}`, value }))

  test("KafkaPublisher publishes all messages of many calls, those of a key in order", async () => {
    const [one, other] = [`test.${randomUUID()}`, `test.${randomUUID()}`]
    const publisher = new KafkaPublisher(kafka, [{ topic: one }, { topic: other }])
    const calls = numbers(0, 100).map((number) => {
      return [...messages(one, [number]), ...messages(other, [number])]
    })
    await Promise.all(calls.map((call) => publisher.publish(call)))
    await publisher.close()
    const { recorder } = await reading([one, other])
    await recorder.until(() => recorder.records.length === 200)
    const keys = new Map<string, string[]>()
    for (const { topic, key, value } of recorder.records) {
      const name = `${topic} ${key}`
      keys.set(name, [...(keys.get(name) ?? []), new TextDecoder().decode(value)])
    }
    expect(keys.get(`${one} key-1`)).toEqual(numbers(0, 10))
    expect(keys.get(`${other} key-2`)).toEqual(numbers(10, 100))
  })

  test("KafkaPublisher refuses a call that is larger than the topic takes, not those beside it", async () => {
    const topic = `test.${randomUUID()}`
    const publisher = new KafkaPublisher(kafka, [{ topic }])
    closing.push(() => publisher.close())
    const huge = publisher.publish(messages(topic, ["x".repeat(1_100_000)]))
    const small = publisher.publish(messages(topic, ["small"]))
    await expect(huge).rejects.toMatchObject({ code: "TOO_LARGE" })
    await small
  })

  test("KafkaPublisher sends something else instead of a message that the topic does not take", async () => {
    const [topic = ""] = await topics(1)
    const instead = (message: OutgoingMessage) => ({ ...message, value: message.value.slice(0, 9) })
    const publisher = new KafkaPublisher(kafka, [{ topic, instead }])
    await publisher.publish(messages(topic, ["x".repeat(1_100_000), "z"]))
    await publisher.close()
    const { recorder } = await reading([topic])
    await recorder.until(() => recorder.records.length === 2)
    expect(recorder.texts().toSorted()).toEqual(["x".repeat(9), "z"])
  })

  test("KafkaPublisher makes batches small enough, and a dead letter of what is too large, where a topic takes less", async () => {
    const [topic, dead] = [`test.${randomUUID()}`, `test.${randomUUID()}`]
    const letters = kafkaDeadLetters()
    const instead = (message: OutgoingMessage, bytesMax: number) => ({
      ...letters.message(letterOfMessage(message, { bytesMax, nowMs: 0 })),
      topic: dead,
    })
    const publisher = new KafkaPublisher(kafka, [
      { topic, messageBytesMax: 20_000, instead },
      { ...letters.produces, topic: dead, messageBytesMax: 10_000 },
    ])
    const large = "x".repeat(20_000)
    const values = ["a", "b", "c"].map((letter) => letter.repeat(15_000))
    await publisher.publish(messages(topic, [...values, large, "small"]))
    await publisher.close()
    const { recorder } = await reading([topic, dead])
    // what is refused is repeated, with what the broker took of it
    const texts = () => [...new Set(recorder.texts())].toSorted()
    await recorder.until(() => texts().length === 5)
    expect(texts().slice(0, 4)).toEqual([...values, "small"])
    const letter = JSON.parse(texts().at(-1) ?? "")
    expect(letter).toMatchObject({ code: "TOO_LARGE", topic, offset: -1, value_truncated: true })
    expect(letter.value_sha256).toBe(new Bun.CryptoHasher("sha256").update(large).digest("hex"))
    expect(atob(letter.value_base64).length).toBeGreaterThan(7_000)
  })

  test("KafkaPublisher stops waiting when its signal says so", async () => {
    const publisher = new KafkaPublisher(kafkaClient({ brokers: ["127.0.0.1:1"] }), [])
    const stop = new AbortController()
    const publishing = publisher.publish(messages("t", ["1"]), stop.signal)
    stop.abort(new Error("enough"))
    await expect(publishing).rejects.toThrow("enough")
  })
})
