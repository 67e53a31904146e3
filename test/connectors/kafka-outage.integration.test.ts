import { describe, expect, setDefaultTimeout, test } from "bun:test"
import { kafkaClient } from "../../src/connectors/kafka-client.ts"
import { kafkaSource } from "../../src/connectors/kafka-source.ts"
import { requireRestartableKafka } from "../support/services.ts"
import { until } from "../support/until.ts"

/*
 * Goal: what /ready says of Kafka follows the broker, not the day on which the group was joined.
 * Method: a real broker that stops for longer than the group's patience, and comes back.
 */

const broker = await requireRestartableKafka()
setDefaultTimeout(120_000)

describe.skipIf(broker === undefined)("kafkaSource in an outage", () => {
  test("kafkaSource is unreachable while the broker is away, and says so in few lines", async () => {
    if (broker === undefined) return
    const lines: string[] = []
    const log = (entry: { message: string }) => lines.push(entry.message)
    const kafka = kafkaClient({ brokers: broker.brokers, log })
    const source = kafkaSource(kafka, { topics: ["t"], groupId: "g", sessionTimeoutMs: 6_000 })
    try {
      await source.start({
        assigned: () => undefined,
        revoked: async () => undefined,
        record: () => true,
        ended: () => undefined,
        failed: (error) => lines.push(`failed: ${error}`),
      })
      expect(source.isReachable()).toBe(true)
      lines.length = 0
      await broker.stop()
      await until(() => !source.isReachable())
      await broker.start()
      await until(() => source.isReachable())
      expect(lines.length).toBeGreaterThan(0)
      expect(lines.length).toBeLessThan(30)
      expect(lines.filter((line) => line.startsWith("failed"))).toEqual([])
    } finally {
      await source.close()
    }
  })
})
