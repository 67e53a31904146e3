import { expect, test } from "bun:test"
import { ModelEvents } from "../../src/compose/model-events.ts"
import { UnavailableError } from "../../src/errors.ts"
import { createLogger } from "../../src/log.ts"
import type { ModelDecision } from "../../src/model-traffic.ts"

const FAREWELL_MS = 2_000
const decision = (revision: number): ModelDecision => ({
  ...{ modelId: "m/2", from: "canary", to: "retired", percent: 0, guard: "errors", revision },
  ...{ at: `2026-01-01T00:00:0${revision}.000Z`, reason: "errors: 9 of 10", live: "m/1" },
})

/** Publishes once `fails` tries have failed; pauses are over at once. */
function publishing(fails: number, farewell: "ends" | "lasts" = "lasts") {
  const [published, logged, slept]: [number[], string[], number[]] = [[], [], []]
  let tries = 0
  const events = new ModelEvents({
    async publish({ meta }) {
      tries += 1
      if (tries <= fails) throw new UnavailableError("kafka")
      published.push(meta.revision)
    },
    clock: {
      nowMs: () => 0,
      sleep: async (ms, signal) => {
        slept.push(ms)
        await Promise.resolve()
        if (ms !== FAREWELL_MS || farewell === "ends") return
        await new Promise((_, reject) => signal?.addEventListener("abort", reject))
      },
    },
    random: () => 0.999,
    log: createLogger({ write: (line) => logged.push(line), nowMs: () => 0 }),
    telemetry: { kafkaMessage: () => undefined },
  })
  return { events, published, logged, slept }
}

test("ModelEvents publishes decisions in their order, each until Kafka has it", async () => {
  const { events, published, logged, slept } = publishing(3)
  events.add([decision(1), decision(2)])
  events.add([decision(3)])
  await events.close()
  expect(published).toEqual([1, 2, 3])
  expect(slept.filter((ms) => ms !== FAREWELL_MS)).toEqual([499, 999, 1_998])
  expect(logged.filter((line) => line.includes("waits for Kafka"))).toHaveLength(1)
})

test("ModelEvents keeps the newest thousand while Kafka is out", async () => {
  const [outage, done] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const published: number[] = []
  const events = new ModelEvents({
    publish: async ({ meta }) => {
      await outage.promise
      published.push(meta.revision)
      if (meta.revision === 1_001) done.resolve()
    },
    clock: { nowMs: () => 0, sleep: () => Promise.resolve() },
    random: () => 0,
    log: createLogger({ write: () => undefined, nowMs: () => 0 }),
    telemetry: { kafkaMessage: () => undefined },
  })
  events.add([decision(0)])
  events.add(Array.from({ length: 1_001 }, (_, at) => decision(at + 1)))
  outage.resolve()
  await done.promise
  expect([published.length, published[0], published[1]]).toEqual([1_001, 0, 2])
})

test("ModelEvents gives up when it is closed and Kafka does not come back", async () => {
  const { events, published } = publishing(Number.POSITIVE_INFINITY, "ends")
  events.add([decision(1)])
  await events.close()
  expect(published).toEqual([])
})
