import { createHash } from "node:crypto"
import { Consumer, Producer, stringSerializers } from "@platformatic/kafka"

// The least that does the work with @platformatic/kafka: a loop over its stream, in batches of 1,000.
// Run as: platformatic.mjs BROKERS COUNT GROUP INPUT OUTPUT DEAD.

const [brokers, count, groupId, input, output, dead] = process.argv.slice(2)
const BATCH = 1_000
const bootstrapBrokers = brokers.split(",")
const producer = new Producer({
  clientId: "bench",
  bootstrapBrokers,
  serializers: stringSerializers,
  idempotent: true,
  acks: -1,
})
const consumer = new Consumer({ clientId: "bench", groupId, bootstrapBrokers })
const stream = await consumer.consume({
  topics: [input],
  mode: "earliest",
  autocommit: false,
  maxWaitTime: 100,
  highWaterMark: 4_096,
})
const marks = new Uint8Array(128)
for (const mark of "'\"<>;|&`$()") marks[mark.charCodeAt(0)] = 1

function route({ key, value }) {
  try {
    const { event_id, session_id, payload, sha256 } = JSON.parse(value.toString())
    const digest = globalThis.Bun
      ? new Bun.CryptoHasher("sha256").update(payload).digest("hex")
      : createHash("sha256").update(payload).digest("hex")
    if (digest === sha256) {
      let found = 0
      for (let i = 0; i < payload.length; i += 1) found += marks[payload.charCodeAt(i)] ?? 0
      const routed = { event_id, session_id, score: found / payload.length }
      return { topic: output, key: session_id, value: JSON.stringify(routed) }
    }
  } catch {
    // malformed: dead like the others
  }
  return { topic: dead, key: key?.toString(), value: value.toString() }
}

let messages = []
const offsets = new Map()
let done = 0
for await (const message of stream) {
  messages.push(route(message))
  offsets.set(message.partition, message.offset)
  done += 1
  if (messages.length < BATCH && done < Number(count)) continue
  await producer.send({ messages })
  await consumer.commit({
    offsets: [...offsets].map(([partition, offset]) => ({
      topic: input,
      partition,
      offset: offset + 1n,
      leaderEpoch: 0,
    })),
  })
  messages = []
  if (done >= Number(count)) break
}
process.exit(0)
