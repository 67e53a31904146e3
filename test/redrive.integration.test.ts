import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test"
import { mkdtempSync, rmSync } from "node:fs"
import { cp, mkdir } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { RunningTopology } from "../src/compose/running-topology.ts"
import { startSentinel } from "../src/compose/server.ts"
import { readConfig } from "../src/config.ts"
import { idempotentProducer, kafkaClient } from "../src/connectors/kafka-client.ts"
import { SIMULATION_TOPIC } from "../src/connectors/kafka-simulation-queue.ts"
import { VERDICT_TOPIC } from "../src/connectors/kafka-sink.ts"
import { createLogger } from "../src/log.ts"
import type { SourceRecord } from "../src/stream/types.ts"
import { requireFreshServer } from "./support/services.ts"
import { readTopics } from "./support/topic-reader.ts"
import { until } from "./support/until.ts"

/*
 * Goal: what an operator does after evidence could not be judged works on the real flow.
 * Method: an announcement whose object is missing becomes a dead letter; then the object is there, and
 * the letter is put back. The store, both topics, the metrics and the graph must say the same.
 */

const service = await requireFreshServer("kafka")
setDefaultTimeout(90_000)
const BASE = "/api/v1/sentinel"
const TOPIC = "events.evidence_created"

describe.skipIf(service === undefined)("redrive", () => {
  const dataDir = mkdtempSync(join(tmpdir(), "sentinel-redrive-"))
  const brokers = service?.brokers ?? []
  afterAll(() => rmSync(dataDir, { recursive: true, force: true }))

  async function announce(): Promise<void> {
    const producer = idempotentProducer(kafkaClient({ brokers }))
    await producer.connect()
    const event = {
      ...{ event_id: "late-1", timestamp: "2026-01-02T03:04:05Z", source: "labyrinth" },
      ...{ session_id: "late", evidence_uri: "minio://evidence/late.json", tags: [], meta: {} },
    }
    const messages = [{ key: "late", value: JSON.stringify(event) }]
    await producer.send({ topic: TOPIC, messages })
    await producer.disconnect()
  }

  test("a letter that is put back once its object is there is resolved, and judged once", async () => {
    const config = readConfig({
      KAFKA_BOOTSTRAP_SERVERS: brokers.join(","),
      ...{ SENTINEL_DATA_DIR: dataDir, SENTINEL_PORT: "0", SENTINEL_SANDBOX: "none" },
    })
    const log = createLogger({ write: () => undefined, nowMs: () => Date.now() })
    const running = await startSentinel(config, "start", log)
    const get = async (path: string) => {
      const response = await fetch(`${running.url}${path}`)
      return response.ok ? ((await response.json()) as Record<string, never>) : undefined
    }
    const redrive = async () => {
      const headers = { "content-type": "application/json" }
      const init = { method: "POST", body: '{"code":"OBJECT_NOT_FOUND"}', headers }
      return (await fetch(`${running.url}${BASE}/dead-letters/redrive`, init)).json()
    }
    try {
      await until(() => get("/ready"))
      await announce()
      const letter = await until(async () => {
        const page = await get(`${BASE}/dead-letters?code=OBJECT_NOT_FOUND`)
        return (page?.dead_letters as readonly { id: string; state: string }[] | undefined)?.[0]
      })
      expect(letter.state).toBe("open")

      await mkdir(join(dataDir, "objects/evidence"), { recursive: true })
      const example = join(import.meta.dir, "../examples/attack-session.json")
      await cp(example, join(dataDir, "objects/evidence/late.json"))
      expect(await redrive()).toMatchObject({ redriven: [letter.id], failed: [] })
      const verdict = await until(() => get(`${BASE}/verdicts/late-1`))
      expect(verdict.verdict).toMatchObject({ verdict: "simulate" })
      await until(async () => {
        const shown = (await get(`${BASE}/dead-letters/${letter.id}`)) as { state?: string }
        return shown.state === "resolved"
      })
      expect(await redrive()).toMatchObject({ redriven: [], skipped: [letter.id] })

      const records: SourceRecord[] = []
      const topics = [VERDICT_TOPIC, SIMULATION_TOPIC]
      const reader = await readTopics(kafkaClient({ brokers }), topics, (record) => {
        records.push(record)
      })
      await reader.until(() => records.length >= 2)
      await reader.close()
      expect(records.map(({ topic }) => topic).toSorted()).toEqual(topics)

      const metrics = await (await fetch(`${running.url}/metrics`)).text()
      for (const series of [
        'cerberus_dead_letters_total{operator="fetch_evidence",code="OBJECT_NOT_FOUND"} 1',
        `cerberus_transactions_total{topic="${TOPIC}"} 2`,
        `cerberus_rebalances_total{topic="${TOPIC}",event="assigned"} 4`,
        `cerberus_kafka_messages_total{service="sentinel",topic="${SIMULATION_TOPIC}",status="produced"} 1`,
      ]) {
        expect(metrics).toContain(series)
      }
      const graph = await until(async () => {
        const topology = (await get(`${BASE}/topology`)) as unknown as RunningTopology
        return topology.running.simulations !== null && topology
      })
      // in offsets, of which the marker of the transaction is one
      expect(graph.running.simulations).toEqual({ ready: 2, leased: 0, dropped: 0 })
      const sink = graph.nodes.find(({ id }) => id === "enqueue_simulation")
      expect(sink?.note).toContain("exactly-once from kafka")
    } finally {
      await running.stop()
    }
  })
})
