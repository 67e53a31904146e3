import { idempotentProducer, kafkaClient } from "../../src/connectors/kafka-client.ts"
import { verifyAndScore, WORK } from "./work.ts"

/** The least that does the work with the same client: a loop over batches, no engine. */
const [brokers = "", count = "0", groupId = ""] = process.argv.slice(2)
const kafka = kafkaClient({ brokers: brokers.split(",") })
const producer = idempotentProducer(kafka)
const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 })
const finished = Promise.withResolvers<void>()
let done = 0

await producer.connect()
await consumer.connect()
await consumer.subscribe({ topic: WORK.input, fromBeginning: true })
await consumer.run({
  autoCommitInterval: 1_000,
  partitionsConsumedConcurrently: WORK.partitions,
  eachBatch: async ({ batch, resolveOffset, commitOffsetsIfNecessary }) => {
    const output: { key: string; value: string }[] = []
    const dead: { key: Buffer | null; value: Buffer | null }[] = []
    for (const { key, value } of batch.messages) {
      try {
        const routed = verifyAndScore(value ?? Buffer.alloc(0))
        output.push({ key: routed.session_id, value: JSON.stringify(routed) })
      } catch {
        dead.push({ key, value })
      }
    }
    await producer.sendBatch({
      acks: -1,
      topicMessages: [
        { topic: WORK.output, messages: output },
        { topic: WORK.dead, messages: dead },
      ],
    })
    resolveOffset(batch.lastOffset())
    await commitOffsetsIfNecessary()
    done += batch.messages.length
    if (done >= Number(count)) finished.resolve()
  },
})
await finished.promise
await consumer.disconnect()
await producer.disconnect()
process.exit(0)
