import { idempotentProducer, kafkaClient } from "../../src/connectors/kafka-client.ts"
import { readArguments } from "./arguments.ts"
import { verifyAndScore, WORK } from "./work.ts"

/** The least that does the work with the same client: a loop over batches, no engine. */
const { brokers, count, groupId, input, output, dead } = readArguments(process.argv.slice(2))
const kafka = kafkaClient({ brokers })
const producer = idempotentProducer(kafka)
const consumer = kafka.consumer({ groupId, maxWaitTimeInMs: 100 })
const finished = Promise.withResolvers<void>()
let done = 0

await producer.connect()
await consumer.connect()
await consumer.subscribe({ topic: input, fromBeginning: true })
await consumer.run({
  autoCommitInterval: 1_000,
  partitionsConsumedConcurrently: WORK.partitions,
  eachBatch: async ({ batch, resolveOffset, commitOffsetsIfNecessary }) => {
    const routed: { key: string; value: string }[] = []
    const letters: { key: Buffer | null; value: Buffer | null }[] = []
    for (const { key, value } of batch.messages) {
      try {
        const event = verifyAndScore(value ?? Buffer.alloc(0))
        routed.push({ key: event.session_id, value: JSON.stringify(event) })
      } catch {
        letters.push({ key, value })
      }
    }
    await producer.sendBatch({
      acks: -1,
      topicMessages: [
        { topic: output, messages: routed },
        { topic: dead, messages: letters },
      ],
    })
    resolveOffset(batch.lastOffset())
    await commitOffsetsIfNecessary()
    done += batch.messages.length
    if (done >= count) finished.resolve()
  },
})
await finished.promise
await consumer.disconnect()
await producer.disconnect()
process.exit(0)
