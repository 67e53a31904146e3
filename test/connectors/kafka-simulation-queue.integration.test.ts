import { describe, setDefaultTimeout } from "bun:test"
import { randomUUID } from "node:crypto"
import { ensureTopics, kafkaClient } from "../../src/connectors/kafka-client.ts"
import { kafkaSimulationQueue } from "../../src/connectors/kafka-simulation-queue.ts"
import type { SimulationQueue } from "../../src/ports.ts"
import { requireService } from "../support/services.ts"
import { expectSimulationQueueContract } from "../support/simulation-queue-contract.ts"

const service = await requireService("kafka")
setDefaultTimeout(60_000)

describe.skipIf(service === undefined)("kafkaSimulationQueue", () => {
  const kafka = kafkaClient({ brokers: service?.brokers ?? [] })

  expectSimulationQueueContract("kafkaSimulationQueue", async () => {
    const topic = `test.${randomUUID()}`
    const groupId = randomUUID()
    const queues: SimulationQueue[] = []
    let passedMs = 0
    const clock = { nowMs: () => Date.now() + passedMs }
    await ensureTopics(kafka, [{ topic }])
    return {
      open(options = {}) {
        const queue = kafkaSimulationQueue(kafka, { topic, groupId, clock, ...options })
        queues.push(queue)
        return queue
      },
      pass(ms) {
        passedMs += ms
      },
      async close() {
        for (const queue of queues) await queue.close()
      },
    }
  })
})
