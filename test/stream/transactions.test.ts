import { describe, expect, test } from "bun:test"
import { HashMismatchError, PartitionLostError, UnavailableError } from "../../src/errors.ts"
import { Dataflow } from "../../src/stream/dataflow.ts"
import { Engine, type EngineLimits } from "../../src/stream/engine.ts"
import type {
  DeadLetter,
  MessageSink,
  Operator,
  OutgoingMessage,
  SourceRecord,
} from "../../src/stream/types.ts"
import { FakeClock } from "../support/fake-clock.ts"
import { listObserver } from "../support/list-sink.ts"
import { EOF, type ListItem, listSource, record } from "../support/list-source.ts"

/*
 * Goal: what a transactional source sends and the offset it commits are one; of any other source the
 * messages are published first.
 * Method: a list source that records each transaction, in virtual time, with commits that fail; a
 * publisher that records and fails, too.
 */

const GATE = Promise.withResolvers<void>()
const LATE = Promise.withResolvers<void>()

const decode: Operator<SourceRecord, string> = {
  name: "decode",
  concurrency: 64,
  process({ value }) {
    const text = new TextDecoder().decode(value)
    if (text === "bad") throw new HashMismatchError("sha256")
    if (text === "late") return LATE.promise.then(() => text)
    return text === "stuck" ? GATE.promise.then(() => text) : text
  },
}

const topicSink: MessageSink<string> = {
  name: "topic",
  message: (text) => ({ topic: "out", key: null, value: text }),
}

const deadLetterTopic: MessageSink<DeadLetter> = {
  name: "dead_letter_topic",
  message: ({ code }) => ({ topic: "dead", key: null, value: code }),
}

function rig(items: readonly ListItem[], limits: Partial<EngineLimits> = {}, transactional = true) {
  const clock = new FakeClock()
  const source = listSource(items, { transactional })
  const log: string[] = []
  const publishFailures: Error[] = []
  const publisher = {
    async publish(messages: readonly OutgoingMessage[]) {
      await clock.sleep(10)
      const failure = publishFailures.shift()
      if (failure !== undefined) throw failure
      log.push(...messages.map(({ topic, value }) => `${topic}:${value}`))
    },
    close: async () => void log.push("closed"),
  }
  const observer = listObserver()
  const engine = new Engine(
    {
      flow: Dataflow.named<SourceRecord>("test").via(decode).to(topicSink),
      sources: [source],
      deadLetters: [deadLetterTopic],
      publisher,
      clock,
      observer: {
        ...observer,
        committed: (_, nextOffset) => void log.push(`committed ${nextOffset}`),
      },
      random: () => 0.5,
    },
    limits,
  )
  const sent = () => source.sent.map(({ topic, value }) => `${topic}:${value}`)
  return { engine, clock, source, sent, observer, log, publishFailures }
}

describe("Engine over a transactional source", () => {
  test("sends each output once, in the transaction that commits its offset", async () => {
    const { engine, clock, source, sent } = rig([record(0, "a"), record(1, "b"), EOF])
    await engine.start()
    await clock.settle(engine.finished)
    expect(sent()).toEqual(["out:a", "out:b"])
    expect(source.commits.at(-1)?.nextOffset).toBe(2n)
  })

  test("stages a dead letter instead of the record's own output", async () => {
    const { engine, clock, sent } = rig([record(0, "bad"), record(1, "b"), EOF])
    await engine.start()
    await clock.settle(engine.finished)
    expect(sent()).toEqual(["dead:HASH_MISMATCH", "out:b"])
  })

  test("sends nothing of a record behind one that is not finished", async () => {
    const { engine, clock, source, sent } = rig([
      record(0, "first"),
      record(1, "stuck"),
      record(2, "behind"),
    ])
    await engine.start()
    await clock.settle(clock.sleep(5_000))
    expect(sent()).toEqual(["out:first"])
    expect(source.commits.at(-1)?.nextOffset).toBe(1n)
  })

  test("repeats the whole transaction after a failed commit, and doubles nothing", async () => {
    const { engine, clock, source, sent } = rig([record(0, "a"), record(1, "b"), EOF])
    source.commitFailures.push(new UnavailableError("kafka"), new UnavailableError("kafka"))
    await engine.start()
    await clock.settle(clock.sleep(5_000))
    expect(sent()).toEqual(["out:a", "out:b"])
  })

  test("lets go of a partition that another owner has fenced", async () => {
    const { engine, clock, source, sent, observer } = rig([record(0, "a")])
    source.commitFailures.push(new PartitionLostError())
    await engine.start()
    await clock.settle(clock.sleep(5_000))
    expect(sent()).toEqual([])
    expect(engine.stats()).toEqual([])
    expect(observer.lines).toContain("list.commit retried PARTITION_LOST")
  })

  test("commits nothing of a partition after it has been given back", async () => {
    const { engine, clock, source } = rig([record(0, "a")], { sendIntervalMs: 1_000 })
    source.commitFailures.push(new UnavailableError("kafka"), new UnavailableError("kafka"))
    await engine.start()
    await clock.settle(source.revoke({ topic: "list", partition: 0 }))
    await clock.settle(clock.sleep(10_000))
    expect(source.commits).toEqual([])
  })

  test("starts the oldest record even when too many behind it are finished", async () => {
    const slowFirst = Array.from({ length: 40 }, (_, index) =>
      record(index, `${index}`, { key: index % 4 === 0 ? "shared" : `own-${index}` }),
    )
    const limits = { unpassedMax: 8, inFlightMax: 4, bufferedMax: 6 }
    const { engine, clock, sent } = rig([...slowFirst, EOF], limits)
    await engine.start()
    await clock.settle(engine.finished)
    expect(sent()).toHaveLength(40)
  })

  test("starts nothing more while too many messages wait for a transaction", async () => {
    const items = Array.from({ length: 50 }, (_, index) => record(index, `${index}`))
    const { engine, clock, source, sent } = rig([...items, EOF], { unpassedMax: 5, inFlightMax: 2 })
    source.commitFailures.push(...Array.from({ length: 3 }, () => new UnavailableError("kafka")))
    await engine.start()
    await clock.quiet()
    expect(engine.stats()[0]?.buffered).toBe(45)
    await clock.settle(engine.finished)
    expect(sent()).toHaveLength(50)
  })

  test("bounds what waits behind a stuck record", async () => {
    const items = Array.from({ length: 100 }, (_, index) => record(index, index ? "x" : "stuck"))
    const { engine, clock } = rig(items, { unpassedMax: 10, bufferedMax: 1_000 })
    await engine.start()
    await clock.quiet()
    expect(engine.stats()[0]).toMatchObject({ inFlight: 1, buffered: 90 })
  })
})

describe("Engine with a publisher", () => {
  const plain = (items: readonly ListItem[]) => rig(items, {}, false)

  test("publishes messages and dead letters in order, then commits, then closes", async () => {
    const { engine, clock, log } = plain([record(0, "a"), record(1, "bad"), record(2, "c"), EOF])
    await engine.start()
    await clock.settle(engine.finished)
    await clock.settle(engine.drain(1_000))
    expect(log).toEqual(["out:a", "dead:HASH_MISMATCH", "out:c", "committed 3", "closed"])
  })

  test("commits nothing that could not be published, and publishes it again", async () => {
    const { engine, clock, log, publishFailures } = plain([record(0, "a"), record(1, "b")])
    publishFailures.push(new UnavailableError("kafka"), new UnavailableError("kafka"))
    await engine.start()
    await clock.settle(clock.sleep(5_000))
    expect(log).toEqual(["out:a", "out:b", "committed 2"])
  })

  test("publishes nothing again when only the commit failed", async () => {
    const { engine, clock, source, log } = plain([record(0, "a")])
    source.commitFailures.push(new UnavailableError("list"))
    await engine.start()
    await clock.settle(clock.sleep(5_000))
    expect(log).toEqual(["out:a", "committed 1"])
  })

  test("publishes before its moment what has grown to a quarter of its bound", async () => {
    const late = Array.from({ length: 8 }, (_, index) => record(index + 1, "late"))
    const limits = { unpassedMax: 16, sendIntervalMs: 60_000, commitIntervalMs: 600_000 }
    const { engine, clock, log } = rig([record(0, "first"), ...late], limits, false)
    await engine.start()
    await clock.settle(clock.sleep(1_000))
    expect(log).toEqual(["out:first"])
    LATE.resolve()
    await clock.settle(clock.sleep(1_000))
    expect(log.length).toBeGreaterThanOrEqual(1 + 16 / 4)
  })

  test("refuses to stage messages that nobody would send", () => {
    const flow = Dataflow.named<SourceRecord>("test").via(decode).to(topicSink)
    const rest = {
      deadLetters: [],
      clock: new FakeClock(),
      observer: listObserver(),
      random: () => 0,
    }
    const over = (transactional: boolean) => () =>
      new Engine({ flow, sources: [listSource([], { transactional })], ...rest })
    expect(over(true)).not.toThrow()
    expect(over(false)).toThrow("publisher")
  })
})
