import { describe, expect, test } from "bun:test"
import { ConsumerLiveness } from "../../src/connectors/consumer-liveness.ts"
import { kafkaClient } from "../../src/connectors/kafka-client.ts"

/** A real consumer that never connects, and the handlers that were put on it. */
function consumer() {
  const inner = kafkaClient({ brokers: ["127.0.0.1:1"] }).consumer({ groupId: "g" })
  const handlers = new Map<string, () => void>()
  const on = ((event: string, handler: () => void) => {
    handlers.set(event, handler)
    return () => undefined
  }) as typeof inner.on
  return { ...inner, on, say: (event: string) => handlers.get(event)?.() }
}

describe("ConsumerLiveness", () => {
  test("ConsumerLiveness is alive from a heartbeat until one and a half session timeouts of silence", () => {
    let nowMs = 0
    const liveness = new ConsumerLiveness(1_000, () => nowMs)
    const member = consumer()
    liveness.listen(member)
    expect(liveness.isAlive).toBe(false)
    member.say(member.events.GROUP_JOIN)
    nowMs = 1_400
    member.say(member.events.HEARTBEAT)
    nowMs = 2_899
    expect(liveness.isAlive).toBe(true)
    nowMs = 2_900
    expect(liveness.isAlive).toBe(false)
  })

  test("ConsumerLiveness ends at a crash and does not hear a consumer that was replaced", () => {
    const liveness = new ConsumerLiveness(1_000, () => 0)
    const [first, second] = [consumer(), consumer()]
    liveness.listen(first)
    first.say(first.events.GROUP_JOIN)
    first.say(first.events.CRASH)
    expect(liveness.isAlive).toBe(false)
    liveness.listen(second)
    first.say(first.events.HEARTBEAT)
    expect(liveness.isAlive).toBe(false)
    second.say(second.events.HEARTBEAT)
    expect(liveness.isAlive).toBe(true)
  })
})
