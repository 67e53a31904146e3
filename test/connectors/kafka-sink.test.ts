import { expect, test } from "bun:test"
import { kafkaVerdictSink } from "../../src/connectors/kafka-sink.ts"
import type { ExplainedVerdict } from "../../src/events.ts"

test("kafkaVerdictSink sends the verdict under its session, without the explanation", () => {
  const verdict = { event_id: "1", session_id: "s" }
  const explained = { verdict, explanation: { narrative: "long" } } as unknown as ExplainedVerdict
  const value = JSON.stringify(verdict)
  expect(kafkaVerdictSink().message(explained)).toEqual({
    ...{ topic: "events.verdicts", key: "s", value },
  })
})

test("kafkaVerdictSink refuses a verdict larger than Kafka takes", () => {
  const huge = { verdict: { session_id: "x".repeat(1_100_000) } } as ExplainedVerdict
  expect(() => kafkaVerdictSink().message(huge)).toThrow("larger than")
})
