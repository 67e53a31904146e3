import { expect, test } from "bun:test"
import { kafkaDeadLetters } from "../../src/connectors/kafka-dead-letters.ts"

const letterOf = (value: Uint8Array) => ({
  code: "MALFORMED",
  operator: "decode_event",
  message: "event_id: expected string",
  attempts: 1,
  failedAtMs: 0,
  record: {
    ...{ topic: "t", partition: 2, offset: 41n, key: "as received", value },
    ...{ headers: { trace: "x" }, timestampMs: 0, receivedAtMs: 1_000 },
  },
})

test("kafkaDeadLetters keeps the key, the reason, the place and the original bytes", () => {
  const { topic, key, value } = kafkaDeadLetters().message(letterOf(Uint8Array.of(0, 255, 10)))
  expect({ topic, key }).toEqual({ topic: "sentinel.dead_letter", key: "as received" })
  expect(JSON.parse(value)).toEqual({
    code: "MALFORMED",
    operator: "decode_event",
    message: "event_id: expected string",
    attempts: 1,
    topic: "t",
    partition: 2,
    offset: 41,
    received_at: "1970-01-01T00:00:01.000Z",
    value_base64: "AP8K",
    headers: { trace: "x" },
  })
})

test("kafkaDeadLetters keeps the largest record that Kafka takes by default, and cuts a larger one", () => {
  const documentOf = (size: number) =>
    JSON.parse(kafkaDeadLetters().message(letterOf(new Uint8Array(size))).value)
  const kept = documentOf(1_040_000)
  expect(kept.value_truncated).toBeUndefined()
  expect(Buffer.from(kept.value_base64, "base64")).toHaveLength(1_040_000)
  const cut = documentOf(1_900_000)
  expect(cut).toMatchObject({ code: "MALFORMED", offset: 41, value_truncated: true })
  expect(Buffer.from(cut.value_base64, "base64")).toHaveLength(499_998)
})
