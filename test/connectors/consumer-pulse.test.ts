import { describe, expect, test } from "bun:test"
import { ConsumerPulse } from "../../src/connectors/consumer-pulse.ts"
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

describe("ConsumerPulse", () => {
  test("ConsumerPulse beats from a heartbeat until one and a half session timeouts of silence", () => {
    let nowMs = 0
    const pulse = new ConsumerPulse(1_000, () => nowMs)
    const member = consumer()
    pulse.listen(member)
    expect(pulse.beats).toBe(false)
    member.say(member.events.GROUP_JOIN)
    nowMs = 1_400
    member.say(member.events.HEARTBEAT)
    nowMs = 2_899
    expect(pulse.beats).toBe(true)
    nowMs = 2_900
    expect(pulse.beats).toBe(false)
  })

  test("ConsumerPulse stops at a crash and does not hear a consumer that was replaced", () => {
    const pulse = new ConsumerPulse(1_000, () => 0)
    const [first, second] = [consumer(), consumer()]
    pulse.listen(first)
    first.say(first.events.GROUP_JOIN)
    first.say(first.events.CRASH)
    expect(pulse.beats).toBe(false)
    pulse.listen(second)
    first.say(first.events.HEARTBEAT)
    expect(pulse.beats).toBe(false)
    second.say(second.events.HEARTBEAT)
    expect(pulse.beats).toBe(true)
  })
})
