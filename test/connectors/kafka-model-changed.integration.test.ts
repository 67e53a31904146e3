import { describe, expect, setDefaultTimeout, test } from "bun:test"
import { randomUUID } from "node:crypto"
import { kafkaClient } from "../../src/connectors/kafka-client.ts"
import { kafkaModelChanged, modelChangedEvent } from "../../src/connectors/kafka-model-changed.ts"
import type { ModelDecision } from "../../src/model-traffic.ts"
import type { SourceRecord } from "../../src/stream/types.ts"
import { requireService } from "../support/services.ts"
import { readTopics } from "../support/topic-reader.ts"

const service = await requireService("kafka")
setDefaultTimeout(60_000)

const TAKEN_BACK: ModelDecision = {
  ...{ modelId: "payload-linear/1.2.1", from: "canary", to: "retired", percent: 0 },
  ...{ at: "2026-01-01T00:00:00.000Z", reason: "errors: 9 of 10 calls failed", guard: "errors" },
  ...{ live: "payload-linear/1.2.0", revision: 4 },
}

describe.skipIf(service === undefined)("kafkaModelChanged", () => {
  test("kafkaModelChanged publishes a rollback with its guard, in the envelope of the other events", async () => {
    const kafka = kafkaClient({ brokers: service?.brokers ?? [] })
    const topic = `model-changed-${randomUUID()}`
    const { publish, close } = kafkaModelChanged(kafka, { topic })
    await publish(modelChangedEvent(TAKEN_BACK, "node-1"), new AbortController().signal)
    const records: SourceRecord[] = []
    const reader = await readTopics(kafka, [topic], (record) => records.push(record))
    await reader.until(() => records.length === 1)
    expect(records.map(({ key }) => key)).toEqual(["models"])
    expect(JSON.parse(new TextDecoder().decode(records[0]?.value))).toEqual({
      event_id: "model_changed-node-1-2026-01-01T00:00:00.000Z-payload-linear/1.2.1-retired",
      ...{ timestamp: TAKEN_BACK.at, source: "sentinel", event_type: "model_changed" },
      ...{ session_id: null, client_ip: null },
      meta: { host: "node-1", live: "payload-linear/1.2.0", revision: 4 },
      ...{ model_id: TAKEN_BACK.modelId, from: "canary", to: "retired", canary_percent: 0 },
      ...{ reason: TAKEN_BACK.reason, guard: "errors" },
    })
    await reader.close()
    await close()
  })
})
