import { describe, expect, setDefaultTimeout, test } from "bun:test"
import { randomUUID } from "node:crypto"
import { kafkaAlerts } from "../../src/connectors/kafka-alerts.ts"
import { kafkaClient } from "../../src/connectors/kafka-client.ts"
import type { SourceRecord } from "../../src/stream/types.ts"
import { someAlert } from "../support/alerts.ts"
import { requireService } from "../support/services.ts"
import { readTopics } from "../support/topic-reader.ts"

const service = await requireService("kafka")
setDefaultTimeout(60_000)
const never = new AbortController().signal

describe.skipIf(service === undefined)("kafkaAlerts", () => {
  test("kafkaAlerts publishes each alert under the key of its attacker and campaign", async () => {
    const kafka = kafkaClient({ brokers: service?.brokers ?? [] })
    const topic = `alerts-${randomUUID()}`
    const target = kafkaAlerts(kafka, { topic })
    const alerts = [someAlert(), someAlert({ event_id: "second" })]
    for (const alert of alerts) {
      expect(await target.deliver(alert, never)).toEqual({ outcome: "delivered" })
    }
    const records: SourceRecord[] = []
    const reader = await readTopics(kafka, [topic], (record) => records.push(record))
    await reader.until(() => records.length === alerts.length)
    const text = new TextDecoder()
    expect(records.map(({ value }) => JSON.parse(text.decode(value)))).toEqual(alerts)
    expect(new Set(records.map(({ key }) => key))).toEqual(new Set([someAlert().group_key]))
    await reader.close()
    await target.close()
  })
})

test("kafkaAlerts tries again while no broker answers", async () => {
  const target = kafkaAlerts(kafkaClient({ brokers: ["127.0.0.1:1"] }))
  expect(await target.deliver(someAlert(), never)).toEqual({
    outcome: "retry",
    code: "UNAVAILABLE",
  })
  await target.close()
})
