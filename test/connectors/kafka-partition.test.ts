import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { asKafkaError } from "../../src/connectors/kafka-client.ts"
import { KafkaPartition } from "../../src/connectors/kafka-partition.ts"
import type { SourceRecord } from "../../src/stream/types.ts"

/** A listener that wants to be held whenever `roomFor` is used up, and the fetching beside it. */
function harness(from?: bigint) {
  const records: SourceRecord[] = []
  const state = { roomFor: 0, fetching: true }
  const listener = {
    assigned: () => undefined,
    revoked: async () => undefined,
    ended: () => undefined,
    failed: () => undefined,
    record(record: SourceRecord) {
      records.push(record)
      state.roomFor -= 1
      return state.roomFor > 0
    },
  }
  const fetching = {
    pause: () => {
      state.fetching = false
    },
    resume: () => {
      state.fetching = true
    },
  }
  const parts = { listener, fetching, ...(from === undefined ? {} : { from }) }
  const partition = new KafkaPartition({ topic: "t", partition: 3 }, parts)
  return { records, state, partition }
}

function batch(from: number, count: number) {
  const messages = Array.from({ length: count }, (_, index) => ({
    key: null,
    value: null,
    timestamp: "-1",
    attributes: 0,
    offset: String(from + index),
    headers: {},
  }))
  return { messages, highWatermark: "1000", lastOffset: () => String(from + count - 1) }
}

describe("KafkaPartition", () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constant("take" as const), count: fc.integer({ min: 1, max: 9 }) }),
    fc.record({ kind: fc.constant("release" as const), count: fc.integer({ min: 1, max: 9 }) }),
    fc.record({ kind: fc.constant("hold" as const), count: fc.constant(0) }),
  )

  test("KafkaPartition hands over every message once and in order, and fetches only when none waits", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { records, state, partition } = harness()
        let fetched = 0
        let held = false
        state.roomFor = 1
        for (const { kind, count } of steps) {
          if (kind === "take") {
            partition.take(batch(fetched, count))
            fetched += count
          } else if (kind === "release") {
            state.roomFor = count
            partition.release()
          } else partition.hold()
          held = kind === "hold" || (kind === "take" && held) || state.roomFor <= 0
          expect(records.map(({ offset }) => Number(offset))).toEqual([...records.keys()])
          expect(state.fetching).toBe(!held && records.length === fetched)
        }
        state.roomFor = Number.POSITIVE_INFINITY
        partition.release()
        expect(records).toHaveLength(fetched)
        expect(state.fetching).toBe(true)
      }),
    )
  })

  test("KafkaPartition hands over nothing after drop", () => {
    const { records, state, partition } = harness()
    state.roomFor = 1
    partition.take(batch(0, 5))
    partition.drop()
    partition.release()
    partition.take(batch(5, 5))
    expect(records).toHaveLength(1)
    expect(state.fetching).toBe(false)
  })

  test("KafkaPartition counts what the engine has not got as lag", () => {
    const { state, partition } = harness()
    expect(partition.lag).toBeUndefined()
    state.roomFor = 2
    partition.take(batch(0, 5))
    expect(partition.lag).toBe(998n)
    state.roomFor = 10
    partition.release()
    expect(partition.lag).toBe(995n)
  })

  test("KafkaPartition gives a message without a time the time of its arrival", () => {
    const { records, state, partition } = harness()
    state.roomFor = 1
    partition.take(batch(0, 1))
    expect(records[0]?.timestampMs).toBe(records[0]?.receivedAtMs ?? -1)
    expect(records[0]?.value).toHaveLength(0)
  })
})

describe("asKafkaError", () => {
  test("asKafkaError finds a refused size inside the client's own wrapping", () => {
    const refused = Object.assign(new Error("secret"), { type: "MESSAGE_TOO_LARGE" })
    const wrapped = new Error("retries exceeded", { cause: new Error("x", { cause: refused }) })
    expect(asKafkaError(wrapped)).toMatchObject({ code: "TOO_LARGE", retryable: false })
  })

  test("asKafkaError makes anything else retryable and repeats none of its text", () => {
    const error = asKafkaError(new Error("broker secret.example said no"))
    expect(error).toMatchObject({ code: "UNAVAILABLE", retryable: true })
    expect(error.message).not.toContain("secret")
  })
})
