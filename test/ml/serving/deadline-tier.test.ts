import { describe, expect, test } from "bun:test"
import { UnavailableError, WorkerFailedError } from "../../../src/errors.ts"
import type { Classification } from "../../../src/events.ts"
import { predictionMemory } from "../../../src/ml/serving/cached-classifier.ts"
import { CircuitBreaker } from "../../../src/ml/serving/circuit-breaker.ts"
import {
  DeadlineTier,
  FLIGHTS_MAX,
  SECOND_TIER_CHARS_MAX,
} from "../../../src/ml/serving/deadline-tier.ts"
import type { PlacedText, Probabilities } from "../../../src/ml/serving/text-gatherer.ts"

const ATTACK: Probabilities = [0.98, 0.004, 0.004, 0.004, 0.004, 0.004]
const SAID: Classification = {
  class: "sql_injection",
  confidence: 0.7,
  probabilities: { sql_injection: 0.7, benign: 0.3 },
  method: "ml",
  model: "payload-linear/1.0.0",
}
const DEADLINE_MS = 10

/** A tier whose clock and timers stand until they are told to go on. */
function start(judge: (texts: readonly PlacedText[]) => Promise<readonly Probabilities[]>) {
  const outcomes: string[] = []
  const calls: string[][] = []
  const timers = new Set<{ readonly action: () => void; readonly dueMs: number }>()
  let nowMs = 1_000
  const tier = new DeadlineTier({
    modelId: "payload-deep/1.0.0",
    judge(texts) {
      calls.push(texts.map(({ text }) => text))
      return judge(texts)
    },
    memory: predictionMemory({ entriesMax: 100, ttlMs: 60_000 }),
    breaker: new CircuitBreaker(() => nowMs),
    deadlineMs: DEADLINE_MS,
    nowMs: () => nowMs,
    setTimer(action, delayMs) {
      const timer = { action, dueMs: nowMs + delayMs }
      timers.add(timer)
      return () => timers.delete(timer)
    },
    onOutcome: (outcome) => outcomes.push(outcome),
  })
  function advance(ms: number): void {
    nowMs += ms
    for (const timer of [...timers]) {
      if (timer.dueMs > nowMs) continue
      timers.delete(timer)
      timer.action()
    }
  }
  const ask = (text: string, arrivedMs = nowMs) => tier.judge({ text }, SAID, arrivedMs)
  return { tier, ask, advance, outcomes, calls, timers }
}

const all = (texts: readonly PlacedText[]) => Promise.resolve(texts.map(() => ATTACK))
const turn = () => new Promise((resolve) => setImmediate(resolve))

describe("DeadlineTier", () => {
  test("combines what both tiers say, remembers it, and leaves no timer behind", async () => {
    const { ask, outcomes, calls, timers } = start(all)
    const first = await ask("1' or 1")
    expect(first.classification.second_model).toBe("payload-deep/1.0.0")
    expect(first.classification.confidence).toBeGreaterThan(SAID.confidence)
    expect([first.cached, (await ask("1' or 1")).cached]).toEqual([false, true])
    expect([calls, outcomes]).toEqual([[["1' or 1"]], ["answered", "answered"]])
    expect(timers.size).toBe(0)
  })

  test("judges equal texts once, and those of one turn of the event loop together", async () => {
    const { ask, calls } = start(all)
    await Promise.all([ask("a"), ask("b"), ask("a")])
    expect(calls).toEqual([["a", "b"]])
  })

  test("answers with the fast tier, degraded, at the deadline; what comes late is remembered", async () => {
    const late = Promise.withResolvers<readonly Probabilities[]>()
    const { ask, advance, outcomes } = start(() => late.promise)
    const asked = ask("slow")
    await turn()
    advance(DEADLINE_MS)
    expect((await asked).classification).toEqual({ ...SAID, degraded: true })
    late.resolve([ATTACK])
    await turn()
    const again = await ask("slow")
    expect(again).toMatchObject({
      cached: true,
      classification: { second_model: "payload-deep/1.0.0" },
    })
    expect(outcomes).toEqual(["deadline", "answered"])
  })

  test("counts the deadline from the arrival of the request, and asks nothing after it", async () => {
    const { ask, advance, outcomes, calls } = start(all)
    advance(DEADLINE_MS)
    expect((await ask("x", 1_000)).classification.degraded).toBe(true)
    expect([outcomes, calls]).toEqual([["deadline"], []])
  })

  test.each([
    ["busy", new UnavailableError("a worker thread")],
    ["failed", new WorkerFailedError(new Error("it died"))],
  ] as const)("counts as %s what the threads refuse so", async (outcome, error) => {
    const { ask, outcomes, tier } = start(() => Promise.reject(error))
    expect((await ask("x")).classification).toEqual({ ...SAID, degraded: true })
    expect([outcomes, tier.waiting]).toEqual([[outcome], 0])
  })

  test("skips a text that is too long for a deadline", async () => {
    const { ask, outcomes, calls } = start(all)
    expect((await ask("x".repeat(SECOND_TIER_CHARS_MAX + 1))).classification.degraded).toBe(true)
    expect([outcomes, calls]).toEqual([["skipped"], []])
  })

  test("rests after failures, and is tried again after five seconds", async () => {
    let isBroken = true
    const { ask, advance, outcomes, tier } = start((texts) =>
      isBroken ? Promise.reject(new WorkerFailedError(new Error("it died"))) : all(texts),
    )
    for (let i = 0; i < 12; i++) await ask(`broken ${i}`)
    expect(outcomes.slice(-2)).toEqual(["skipped", "skipped"])
    isBroken = false
    advance(5_000)
    for (let i = 0; i < 3; i++) await ask(`well ${i}`)
    expect([tier.breaker.state, outcomes.at(-1)]).toEqual(["closed", "answered"])
  })

  test("rests after a thread that never answers, but not for requests that came with no time left", async () => {
    const never = () => new Promise<never>(() => undefined)
    const hasty = start(never)
    for (let i = 0; i < 12; i++) {
      const asked = hasty.ask(`hasty ${i}`, 1_000 + i - DEADLINE_MS + 1)
      hasty.advance(1)
      await asked
    }
    expect(hasty.tier.breaker.state).toBe("closed")
    const hanging = start(never)
    for (let i = 0; i < 12; i++) {
      const asked = hanging.ask(`hanging ${i}`)
      hanging.advance(DEADLINE_MS)
      await asked
    }
    expect([hanging.tier.breaker.state, hanging.outcomes.at(-1)]).toEqual(["open", "skipped"])
  })

  test("takes no more texts at a time than a deadline holds, and does not rest for it", async () => {
    const { ask, advance, outcomes } = start(() => new Promise<never>(() => undefined))
    const asked = Array.from({ length: FLIGHTS_MAX + 1 }, (_, index) => ask(`text ${index}`))
    await asked.at(-1)
    expect(outcomes).toEqual(["busy"])
    advance(DEADLINE_MS)
    await Promise.all(asked)
    expect(outcomes.filter((outcome) => outcome === "deadline").length).toBe(FLIGHTS_MAX)
  })
})
