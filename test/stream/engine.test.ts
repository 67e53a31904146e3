import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { HashMismatchError, UnavailableError } from "../../src/errors.ts"
import { Dataflow } from "../../src/stream/dataflow.ts"
import { Engine, type EngineLimits } from "../../src/stream/engine.ts"
import type { DeadLetterSink, Operator, Sink, SourceRecord } from "../../src/stream/types.ts"
import { FakeClock } from "../support/fake-clock.ts"
import { listDeadLetters, listObserver, listSink } from "../support/list-sink.ts"
import { ABORT, EOF, type ListItem, listSource, record } from "../support/list-source.ts"

const decode: Operator<SourceRecord, string> = {
  name: "decode",
  process: ({ value }) => new TextDecoder().decode(value),
}

interface Rig {
  readonly operator?: Operator<string, string>
  readonly sink?: Sink<string>
  readonly deadLetters?: DeadLetterSink
  readonly limits?: Partial<EngineLimits>
}

/** An engine over a list, in virtual time: decode -> operator -> sink. */
function rig(items: readonly ListItem[], given: Rig = {}) {
  const clock = new FakeClock()
  const source = listSource(items)
  const sink = given.sink ?? listSink<string>()
  const deadLetters = given.deadLetters ?? listDeadLetters()
  const observer = listObserver()
  const start = Dataflow.named<SourceRecord>("test").via(decode)
  const flow = (given.operator === undefined ? start : start.via(given.operator)).to(sink)
  const engine = new Engine(
    { flow, sources: [source], deadLetters: [deadLetters], clock, observer, random: () => 0.5 },
    given.limits,
  )
  return { engine, clock, source, sink, deadLetters, observer }
}

describe("Engine", () => {
  test("commits the offset after the last record once every sink has acknowledged", async () => {
    const sink = listSink<string>()
    const { engine, clock, source } = rig([record(7, "a"), record(9, "b"), EOF], { sink })
    await engine.start()
    await clock.settle(engine.finished)
    expect(sink.items).toEqual(["a", "b"])
    expect(source.commits.at(-1)).toEqual({
      id: { topic: "list", partition: 0 },
      nextOffset: 10n,
    })
  })

  test("never commits past a record that is still in flight", async () => {
    const gate = Promise.withResolvers<void>()
    const slowFirst: Operator<string, string> = {
      name: "slow_first",
      concurrency: 8,
      process: async (text) => {
        if (text === "slow") await gate.promise
        return text
      },
    }
    const items: ListItem[] = [record(0, "slow"), record(1, "fast"), record(2, "fast"), EOF]
    const { engine, clock, source, sink } = rig(items, { operator: slowFirst })
    await engine.start()
    await clock.quiet()
    await clock.settle(clock.sleep(5_000))
    expect((sink as ReturnType<typeof listSink>).items).toEqual(["fast", "fast"])
    expect(source.commits).toEqual([])
    gate.resolve()
    await clock.settle(engine.finished)
    expect(source.commits.at(-1)?.nextOffset).toBe(3n)
  })

  test("keeps the order of each key while different keys run at once", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.record({ key: fc.constantFrom("a", "b", "c"), delay: fc.nat(20) }), {
          maxLength: 40,
        }),
        async (plan) => {
          const sink = listSink<string>()
          const clock = new FakeClock()
          const wait: Operator<string, string> = {
            name: "wait",
            concurrency: 4,
            process: async (text) => {
              await clock.sleep(plan[Number(text)]?.delay ?? 0)
              return text
            },
          }
          const items = plan.map(({ key }, index) => record(index, String(index), { key }))
          const flow = Dataflow.named<SourceRecord>("order").via(decode).via(wait).to(sink)
          const engine = new Engine({
            flow,
            sources: [listSource([...items, EOF])],
            deadLetters: [listDeadLetters()],
            clock,
            observer: listObserver(),
            random: () => 0.5,
          })
          await engine.start()
          await clock.settle(engine.finished)
          for (const key of ["a", "b", "c"]) {
            const seen = sink.items.map(Number).filter((index) => plan[index]?.key === key)
            expect(seen).toEqual(seen.toSorted((left, right) => left - right))
          }
          expect(sink.items.length).toBe(plan.length)
        },
      ),
      { numRuns: 30 },
    )
  })

  test("dead-letters a permanent failure with code, operator, attempts and original bytes", async () => {
    const deadLetters = listDeadLetters()
    const refuse: Operator<string, string> = {
      name: "refuse",
      process: (text) => {
        if (text === "bad") throw new HashMismatchError("sha256")
        return text
      },
    }
    const items: ListItem[] = [record(0, "good"), record(1, "bad"), record(2, "good"), EOF]
    const { engine, clock, source } = rig(items, { operator: refuse, deadLetters })
    await engine.start()
    await clock.settle(engine.finished)
    const [letter] = deadLetters.letters
    expect(deadLetters.letters.length).toBe(1)
    expect(letter).toMatchObject({ code: "HASH_MISMATCH", operator: "refuse", attempts: 1 })
    expect(new TextDecoder().decode(letter?.record.value)).toBe("bad")
    expect(source.commits.at(-1)?.nextOffset).toBe(3n)
  })

  test("tries a retryable failure again with backoff, then buries it as used up", async () => {
    const deadLetters = listDeadLetters()
    let calls = 0
    const down: Operator<string, string> = {
      name: "down",
      process: () => {
        calls += 1
        throw new UnavailableError("store")
      },
    }
    const { engine, clock } = rig([record(0, "x"), EOF], {
      operator: down,
      deadLetters,
      limits: { retry: { attemptsMax: 4, baseMs: 100, capMs: 250 } },
    })
    await engine.start()
    await clock.settle(engine.finished)
    expect(calls).toBe(4)
    expect(clock.sleepsMs.filter((ms) => ms < 500)).toEqual([50, 100, 125])
    expect(deadLetters.letters[0]).toMatchObject({ code: "UNAVAILABLE", attempts: 4 })
  })

  test("outlasts an outage of an outside system, and buries the record when it does not end", async () => {
    const deadLetters = listDeadLetters()
    let downUntilMs = 0
    const operator: Operator<string, string> = {
      name: "fetch",
      process: (text) => {
        if (text === "lost" || clock.nowMs() < downUntilMs) throw new UnavailableError("store")
        return text
      },
    }
    const limits = { retry: { attemptsMax: 4, baseMs: 100, capMs: 250, outageMs: 60_000 } }
    const sink = listSink<string>()
    const records: readonly ListItem[] = [record(0, "kept"), record(1, "lost"), EOF]
    const { engine, clock } = rig(records, { operator, sink, deadLetters, limits })
    downUntilMs = clock.nowMs() + 30_000
    await engine.start()
    await clock.settle(engine.finished)
    expect(sink.items).toEqual(["kept"])
    expect(deadLetters.letters).toMatchObject([{ code: "UNAVAILABLE", operator: "fetch" }])
    expect(deadLetters.letters[0]?.attempts).toBeGreaterThan(100)
  })

  test("holds a good record back for as long as its sink is down", async () => {
    let failures = 50
    const written: string[] = []
    const sink: Sink<string> = {
      name: "flaky",
      guarantee: "at-least-once",
      async write(text) {
        failures -= 1
        if (failures > 0) throw new UnavailableError("sink")
        written.push(text)
      },
    }
    const deadLetters = listDeadLetters()
    const { engine, clock } = rig([record(0, "kept"), EOF], { sink, deadLetters })
    await engine.start()
    await clock.settle(engine.finished)
    expect(written).toEqual(["kept"])
    expect(deadLetters.letters).toEqual([])
  })

  test("does not commit a dead letter before it is durable", async () => {
    let failures = 3
    const deadLetters: DeadLetterSink = {
      name: "flaky_letters",
      guarantee: "at-least-once",
      async write() {
        failures -= 1
        if (failures > 0) throw new UnavailableError("letters")
      },
    }
    const refuse: Operator<string, string> = {
      name: "refuse",
      process: () => {
        throw new HashMismatchError("sha256")
      },
    }
    const { engine, clock, observer } = rig([record(0, "x"), EOF], {
      operator: refuse,
      deadLetters,
    })
    await engine.start()
    await clock.settle(engine.finished)
    const letter = observer.lines.indexOf("dead letter HASH_MISMATCH")
    const commit = observer.lines.indexOf("committed 0/1")
    expect(observer.lines.filter((line) => line.startsWith("flaky_letters retried")).length).toBe(2)
    expect(letter).toBeGreaterThan(-1)
    expect(commit).toBeGreaterThan(letter)
  })

  test("buries one unexpected exception as INTERNAL and goes on", async () => {
    const deadLetters = listDeadLetters()
    const sink = listSink<string>()
    const buggy: Operator<string, string> = {
      name: "buggy",
      process: (text) => {
        if (text === "trap") throw new TypeError("secret detail")
        return text
      },
    }
    const items: ListItem[] = [record(0, "trap"), record(1, "fine"), EOF]
    const { engine, clock } = rig(items, { operator: buggy, deadLetters, sink })
    await engine.start()
    await clock.settle(engine.finished)
    expect(deadLetters.letters[0]).toMatchObject({ code: "INTERNAL", message: "internal error" })
    expect(sink.items).toEqual(["fine"])
  })

  test("stops when many records in a row fail unexpectedly", async () => {
    const items = Array.from({ length: 10 }, (_, index) => record(index, "x"))
    const buggy: Operator<string, string> = {
      name: "buggy",
      process: () => {
        throw new TypeError("bug")
      },
    }
    const { engine, clock } = rig(items, { operator: buggy, limits: { suspectAfter: 5 } })
    await engine.start()
    await expect(clock.settle(engine.finished)).rejects.toMatchObject({ code: "ENGINE_SUSPECT" })
  })

  test("rejects when its source cannot go on", async () => {
    const { engine, clock } = rig([record(0, "x"), ABORT])
    await engine.start()
    await expect(clock.settle(engine.finished)).rejects.toThrow("the list aborts")
  })

  test("holds the source at its bound and lets it go on, losing nothing", async () => {
    const sink = listSink<string>()
    const clock = new FakeClock()
    const slow: Operator<string, string> = {
      name: "slow",
      process: async (text) => {
        await clock.sleep(1)
        return text
      },
    }
    const items = Array.from({ length: 200 }, (_, index) => record(index, String(index)))
    const source = listSource([...items, EOF])
    const flow = Dataflow.named<SourceRecord>("bound").via(decode).via(slow).to(sink)
    let peak = 0
    const engine: Engine = new Engine(
      {
        flow,
        sources: [source],
        deadLetters: [listDeadLetters()],
        clock,
        observer: {
          ...listObserver(),
          recordDone: () => {
            const [stats] = engine.stats()
            peak = Math.max(peak, (stats?.buffered ?? 0) + (stats?.inFlight ?? 0))
          },
        },
        random: () => 0.5,
      },
      { inFlightMax: 4, bufferedMax: 10 },
    )
    await engine.start()
    await clock.settle(engine.finished)
    expect(sink.items).toEqual(items.map((_, index) => String(index)))
    expect(source.pauses).toBeGreaterThan(1)
    expect(peak).toBeLessThanOrEqual(14)
  })

  test("lets other partitions pass one whose records hang", async () => {
    const sink = listSink<string>()
    const hang: Operator<string, string> = {
      name: "hang",
      concurrency: 8,
      process: (text) => (text === "hang" ? new Promise<string>(() => undefined) : text),
    }
    const items = [
      ...Array.from({ length: 10 }, (_, index) => record(index, "hang", { partition: 0 })),
      ...Array.from({ length: 10 }, (_, index) => record(index, "free", { partition: 1 })),
    ]
    const limits = { inFlightMax: 4, bufferedMax: 100 }
    const { engine, clock } = rig(items, { operator: hang, sink, limits })
    await engine.start()
    await clock.quiet()
    expect(sink.items).toEqual(Array.from({ length: 10 }, () => "free"))
  })

  test("a revoked partition is finished or abandoned, and what is abandoned reaches no sink", async () => {
    const sink = listSink<string>()
    const gate = Promise.withResolvers<void>()
    const stuck: Operator<string, string> = {
      name: "stuck",
      concurrency: 4,
      process: async (text) => {
        if (text === "stuck") await gate.promise
        return text
      },
    }
    const items = [record(0, "quick"), record(1, "stuck")]
    const { engine, clock, source } = rig(items, { operator: stuck, sink })
    await engine.start()
    await clock.quiet()
    const revoked = source.revoke({ topic: "list", partition: 0 })
    await clock.settle(clock.sleep(6_000))
    gate.resolve()
    await clock.settle(revoked)
    expect(sink.items).toEqual(["quick"])
    expect(source.commits.at(-1)?.nextOffset).toBe(1n)
    expect(engine.stats()).toEqual([])
  })

  test("drain finishes what is in flight, commits it and closes everything", async () => {
    const clock = new FakeClock()
    const sink = listSink<string>()
    const slow: Operator<string, string> = {
      name: "slow",
      process: async (text) => {
        await clock.sleep(100)
        return text
      },
    }
    const source = listSource([record(0, "in flight"), record(1, "waiting")])
    const engine = new Engine(
      {
        flow: Dataflow.named<SourceRecord>("drain").via(decode).via(slow).to(sink),
        sources: [source],
        deadLetters: [listDeadLetters()],
        clock,
        observer: listObserver(),
        random: () => 0.5,
      },
      { inFlightMax: 1 },
    )
    await engine.start()
    await clock.quiet()
    await clock.settle(engine.drain(1_000))
    expect(sink.items).toEqual(["in flight"])
    expect(source.commits.at(-1)?.nextOffset).toBe(1n)
    expect(source.closed).toBe(true)
  })
})
