import { expect, setDefaultTimeout, test } from "bun:test"
import { randomUUID } from "node:crypto"
import { ensureTopics, idempotentProducer, kafkaClient } from "../../src/connectors/kafka-client.ts"
import { kafkaRedrive } from "../../src/connectors/redrive.ts"
import { REDRIVE_HEADER, type SourceRecord } from "../../src/stream/types.ts"
import { requireService } from "../support/services.ts"
import { readTopics } from "../support/topic-reader.ts"

const service = await requireService("kafka")
setDefaultTimeout(60_000)

test.skipIf(service === undefined)(
  "kafkaRedrive puts the very bytes back into their partition, under their key and headers",
  async () => {
    const kafka = kafkaClient({ brokers: service?.brokers ?? [] })
    const topic = `test.${randomUUID()}`
    await ensureTopics(kafka, [{ topic }])
    const producer = idempotentProducer(kafka)
    await producer.connect()
    const value = Buffer.from([0, 255, 0xc3, 0x28, 10])
    const headers = { trace: "1" }
    // a partition that the key alone would not lead to
    const sent = [2, 3].map((partition) => ({ key: "k", value, headers, partition }))
    await producer.send({ topic, messages: [...sent, { key: null, value, headers, partition: 1 }] })
    const records: SourceRecord[] = []
    const reader = await readTopics(kafka, [topic], (record) => void records.push(record))
    const redrive = kafkaRedrive(kafka)
    try {
      await reader.until(() => records.length === 3)
      for (const [index, record] of records.slice().entries()) {
        await redrive.send({ id: `id-${index}`, record })
      }
      await reader.until(() => records.length === 6)
      for (const [index, original] of records.slice(0, 3).entries()) {
        const copy = records.find((record) => record.headers[REDRIVE_HEADER] === `id-${index}`)
        const { partition, key } = original
        expect(copy).toMatchObject({ topic, partition, key })
        expect(Buffer.from(copy?.value ?? [])).toEqual(value)
        expect(copy?.headers).toEqual({ ...headers, [REDRIVE_HEADER]: `id-${index}` })
      }
    } finally {
      await Promise.all([reader.close(), redrive.close(), producer.disconnect()])
    }
  },
)
