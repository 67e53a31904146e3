import { describe, expect, setDefaultTimeout, test } from "bun:test"
import { randomUUID } from "node:crypto"
import { ensureTopics, kafkaClient } from "../../src/connectors/kafka-client.ts"
import { kafkaSimulationQueue } from "../../src/connectors/kafka-simulation-queue.ts"
import type { SimulationLease, SimulationQueue } from "../../src/ports/simulation-queue.ts"
import { requireService } from "../support/services.ts"
import { expectSimulationQueueContract } from "../support/simulation-queue-contract.ts"
import { simulationTask } from "../support/simulation-task.ts"

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

  test("kafkaSimulationQueue hands what a member left unfinished to another, and what is done to nobody", async () => {
    const topic = `test.${randomUUID()}`
    const groupId = randomUUID()
    await ensureTopics(kafka, [{ topic }])
    const open = () => kafkaSimulationQueue(kafka, { topic, groupId, clock: { nowMs: Date.now } })
    const [one, other] = [open(), open()]
    const ids = Array.from({ length: 40 }, (_, index) => `${index}`)
    // a session each, so that every partition has some
    await Promise.all(
      ids.map((id) => one.enqueue({ ...simulationTask(id), sessionId: id, priority: 1 })),
    )
    const done = new Set<string>()
    const left = new Set<string>()
    const ackOne = async (queue: SimulationQueue, { id, task }: SimulationLease) => {
      if (!(await queue.ack(id))) return
      // nothing unfinished lay before what was acknowledged, so none of it may come again
      expect(done.has(task.eventId)).toBe(false)
      done.add(task.eventId)
    }
    const takeUntil = async (
      queue: SimulationQueue,
      met: () => boolean,
      work: (lease: SimulationLease) => unknown,
    ) => {
      for (const deadline = Date.now() + 40_000; !met() && Date.now() < deadline; ) {
        for (const lease of await queue.take({ max: 5, leaseMs: 60_000 })) await work(lease)
        await Bun.sleep(20)
      }
    }
    try {
      await takeUntil(
        one,
        () => done.size >= 10,
        (lease) => ackOne(one, lease),
      )
      await takeUntil(
        one,
        () => left.size >= 10,
        ({ task }) => left.add(task.eventId),
      )
      const joining = takeUntil(
        other,
        () => done.size === ids.length,
        (lease) => ackOne(other, lease),
      )
      await one.close()
      await joining
      expect([...done].toSorted()).toEqual(ids.toSorted())
      expect(left.size).toBeGreaterThan(0)
    } finally {
      await Promise.all([one.close(), other.close()])
    }
  })
})
