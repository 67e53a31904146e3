import { expect, test } from "bun:test"
import fc from "fast-check"
import { kafkaDeadLetters, letterOfMessage } from "../../src/connectors/kafka-dead-letters.ts"

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
  const value_sha256 = new Bun.CryptoHasher("sha256")
    .update(new Uint8Array(1_900_000))
    .digest("hex")
  expect(cut.value_sha256).toBe(value_sha256)
  expect(Buffer.from(cut.value_base64, "base64").length).toBeGreaterThan(1_400_000)
})

test("kafkaDeadLetters cuts a letter to any size that holds its other fields, and names the digest of the whole", () => {
  const { message, produces } = kafkaDeadLetters()
  const sizes = fc.record({ value: fc.nat(3_000), first: fc.nat(3_000), second: fc.nat(3_000) })
  fc.assert(
    fc.property(sizes, ({ value, first, second }) => {
      const bytes = new Uint8Array(value).fill(7)
      const whole = message(letterOf(bytes))
      const cut = [600 + first, 600 + second].reduce(
        (each, bytesMax) => produces.instead?.(each, bytesMax) ?? each,
        whole,
      )
      expect(Buffer.byteLength(cut.value)).toBeLessThanOrEqual(600 + second)
      const { value_base64, value_sha256 } = JSON.parse(cut.value)
      expect(value_sha256).toBe(new Bun.CryptoHasher("sha256").update(bytes).digest("hex"))
      const head = Buffer.from(value_base64, "base64")
      expect(head.equals(bytes.subarray(0, head.length))).toBe(true)
    }),
  )
})

test("letterOfMessage tells of a message that is at no offset yet", () => {
  const message = { topic: "events.verdicts", key: "session", value: "{}" }
  const letter = letterOfMessage(message, { bytesMax: 1, nowMs: 1_000 })
  expect(JSON.parse(kafkaDeadLetters().message(letter).value)).toEqual({
    ...{ code: "TOO_LARGE", operator: "publish events.verdicts", attempts: 1, headers: {} },
    message: "message: larger than 1 bytes",
    ...{ topic: "events.verdicts", partition: -1, offset: -1, value_base64: "e30=" },
    received_at: "1970-01-01T00:00:01.000Z",
  })
})
