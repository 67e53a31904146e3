import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import {
  type ServedModel,
  type Traffic,
  trafficClassifier,
} from "../../../src/ml/serving/traffic-classifier.ts"
import { TrialComparison } from "../../../src/ml/serving/trial-comparison.ts"
import { failing, flipping, servedModel } from "../../support/served-models.ts"

/** A classifier whose clock and comparisons move only when the test says so. */
function start(traffic: Traffic) {
  let nowMs = 0
  const scheduled: (() => void)[] = []
  const failures: string[] = []
  const classifier = trafficClassifier({
    traffic,
    nowMs: () => nowMs,
    schedule: (action) => scheduled.push(action),
    onFailure: (modelId) => failures.push(modelId),
  })
  const runComparisons = () => {
    for (let action = scheduled.shift(); action !== undefined; action = scheduled.shift()) action()
  }
  const wait = (ms: number) => {
    nowMs += ms
  }
  return { classifier, runComparisons, failures, wait, now: () => nowMs }
}

function canary(model: ServedModel, reference: ServedModel, percent: number): Traffic {
  const comparison = new TrialComparison()
  return {
    live: reference,
    standby: undefined,
    trial: { model, reference, percent, comparison },
  }
}

const alone = (live: ServedModel): Traffic => ({ live, standby: undefined, trial: undefined })

describe("trafficClassifier: who answers", () => {
  test("trafficClassifier gives a canary its share of the sessions, within five standard deviations", () => {
    for (const percent of [0, 1, 10, 50, 100]) {
      const { classifier } = start(canary(servedModel("new/2"), servedModel("old/1"), percent))
      let tried = 0
      for (let session = 0; session < 10_000; session++) {
        const { classification } = classifier.lookup(
          { text: "the same text" },
          { sessionId: `session-${session}` },
        )
        if (classification.model === "new/2") tried += 1
      }
      const share = percent / 100
      const deviation = Math.sqrt(10_000 * share * (1 - share))
      expect(Math.abs(tried - 10_000 * share)).toBeLessThanOrEqual(5 * deviation)
    }
  })

  test("trafficClassifier keeps a session on its side, also while the canary grows", () => {
    const [model, reference] = [servedModel("new/2"), servedModel("old/1")]
    const { classifier } = start(canary(model, reference, 10))
    const grown = start(canary(model, reference, 60)).classifier
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (sessionId, one, other) => {
        const ask = (from: typeof classifier, text: string) =>
          from.lookup({ text }, { sessionId }).classification.model
        expect(ask(classifier, one)).toBe(ask(classifier, other))
        if (ask(classifier, one) === "new/2") expect(ask(grown, one)).toBe("new/2")
      }),
    )
  })

  test("trafficClassifier tells payloads apart where no session is named", () => {
    const { classifier } = start(canary(servedModel("new/2"), servedModel("old/1"), 50))
    const models = Array.from(
      { length: 40 },
      (_, at) => classifier.classify({ text: `${at}` }).model,
    )
    expect(new Set(models).size).toBe(2)
    const again = Array.from(
      { length: 40 },
      (_, at) => classifier.classify({ text: `${at}` }).model,
    )
    expect(again).toEqual(models)
  })

  test("trafficClassifier answers by the new plan at once after a swap, never from the old cache", () => {
    const { classifier } = start(alone(servedModel("old/1")))
    expect(classifier.lookup({ text: "a" }).cached).toBe(false)
    expect(classifier.lookup({ text: "a" }).cached).toBe(true)
    classifier.swap(alone(servedModel("new/2")))
    const { cached, classification } = classifier.lookup({ text: "a" })
    expect([cached, classification.model, classifier.info.modelId]).toEqual([
      false,
      "new/2",
      "new/2",
    ])
  })
})

describe("trafficClassifier: what stands in", () => {
  test("trafficClassifier answers by the live model where a canary throws", () => {
    const { classifier, failures } = start(
      canary(servedModel("new/2", failing), servedModel("old/1"), 100),
    )
    const { classification } = classifier.lookup({ text: "'" })
    expect(classification.model).toBe("old/1")
    expect(classification.degraded).toBeUndefined()
    expect(failures).toEqual(["new/2"])
  })

  test("trafficClassifier answers by the model before, and says degraded, where the live one throws", () => {
    const live = servedModel("new/2", failing)
    const { classifier } = start({ live, standby: servedModel("old/1"), trial: undefined })
    const { classification } = classifier.lookup({ text: "'" })
    expect(classification).toMatchObject({ model: "old/1", method: "ml", degraded: true })
    expect(live.meter.counts()).toMatchObject({ errors: 1, degraded: 1 })
  })

  test("trafficClassifier answers by rules where no model does, and never benign", () => {
    const { classifier } = start(alone(servedModel("old/1", failing)))
    const attack = classifier.classify({ text: "1' OR '1'='1" })
    expect(attack).toMatchObject({ class: "sql_injection", method: "rules", degraded: true })
    const unknown = classifier.classify({ text: "hello" })
    expect(unknown).toMatchObject({ class: "unknown", method: "degraded", degraded: true })
    for (const { probabilities } of [attack, unknown]) {
      const sum = Object.values(probabilities).reduce((total, each) => total + each, 0)
      expect(sum).toBeCloseTo(1, 12)
      expect(probabilities.benign).toBe(0.5)
    }
  })

  test("trafficClassifier stops asking a model that keeps failing, and asks again after the pause", () => {
    let [calls, isBroken, nowMs] = [0, true, 0]
    const change = (classifier: ServedModel["uncached"]) => ({
      classify(input: { text: string }) {
        calls += 1
        if (isBroken) throw new Error("broken")
        return classifier.classify(input)
      },
    })
    const { classifier } = start(alone(servedModel("old/1", change, () => nowMs)))
    for (let at = 0; at < 100; at++) classifier.classify({ text: `${at}` })
    expect(calls).toBe(10)
    ;[isBroken, nowMs] = [false, 5_000]
    expect(classifier.classify({ text: "x" }).method).toBe("ml")
  })
})

describe("trafficClassifier: comparisons", () => {
  test("trafficClassifier asks a shadow about every payload, after the answer", () => {
    const [model, reference] = [servedModel("new/2", flipping), servedModel("old/1")]
    const traffic = canary(model, reference, 0)
    const { classifier, runComparisons } = start(traffic)
    const texts = Array.from({ length: 30 }, (_, at) =>
      at % 3 === 0 ? `''' ${at}` : `plain ${at}`,
    )
    for (const text of texts) expect(classifier.classify({ text }).model).toBe("old/1")
    expect(traffic.trial?.comparison.agreement().compared).toBe(0)
    runComparisons()
    const { matrix, classes, compared, disagreed } = traffic.trial?.comparison.agreement() ?? {}
    expect([compared, disagreed]).toEqual([30, 30])
    const [benign, sql] = [classes?.indexOf("benign") ?? 0, classes?.indexOf("sql_injection") ?? 0]
    expect([matrix?.[benign]?.[sql], matrix?.[sql]?.[benign]]).toEqual([20, 10])
    expect(traffic.trial?.comparison.counts()).toMatchObject({
      missedAttacks: { events: 10, trials: 10 },
      falseAlarms: { events: 20, trials: 20 },
    })
    const examples = traffic.trial?.comparison.examples() ?? []
    expect(examples[0]).toMatchObject({
      payload: "''' 0",
      reference: "sql_injection",
      trial: "benign",
    })
  })

  test("trafficClassifier lets a session vote once each way, however much it sends", () => {
    const traffic = canary(servedModel("new/2", flipping), servedModel("old/1"), 50)
    const { classifier, runComparisons } = start(traffic)
    for (let at = 0; at < 500; at++) classifier.lookup({ text: `''' ${at}` }, { sessionId: "one" })
    runComparisons()
    expect(traffic.trial?.comparison.counts().missedAttacks).toEqual({ events: 1, trials: 1 })
    expect(traffic.trial?.comparison.agreement().compared).toBe(500)
  })

  test("trafficClassifier keeps secrets out of the examples and no more than fifty of them", () => {
    const traffic = canary(servedModel("new/2", flipping), servedModel("old/1"), 0)
    const { classifier, runComparisons } = start(traffic)
    for (let at = 0; at < 60; at++) classifier.classify({ text: `password=hunter2&at=${at}` })
    runComparisons()
    const examples = traffic.trial?.comparison.examples() ?? []
    expect(examples).toHaveLength(50)
    expect(JSON.stringify(examples)).not.toContain("hunter2")
  })

  test("trafficClassifier skips comparisons beyond its bound, and counts them", () => {
    const traffic = canary(servedModel("new/2"), servedModel("old/1"), 0)
    const { classifier, runComparisons } = start(traffic)
    for (let at = 0; at < 1_500; at++) classifier.classify({ text: `${at}` })
    for (let at = 0; at < 3; at++) classifier.classify({ text: `${at}`.repeat(1_000_000) })
    expect(classifier.skippedComparisons()).toBe(1_500 - 1_024 + 3)
    runComparisons()
    expect(traffic.trial?.comparison.agreement().compared).toBe(1_024)
  })

  test("trafficClassifier counts an error of the canary once, and its slowness against its reference", () => {
    let clock = { now: () => 0, wait: (_: number) => {} }
    const slow = (classifier: ServedModel["uncached"]) => ({
      classify(input: { text: string }) {
        clock.wait(20)
        return classifier.classify(input)
      },
    })
    const traffic = canary(servedModel("new/2", slow), servedModel("old/1"), 50)
    const started = start(traffic)
    clock = started
    for (let at = 0; at < 20; at++) started.classifier.classify({ text: `${at}` })
    started.runComparisons()
    expect(traffic.trial?.comparison.counts().slow).toEqual({ events: 20, trials: 20 })
    const broken = canary(servedModel("new/2", failing), servedModel("old/1"), 50)
    started.classifier.swap(broken)
    for (let at = 0; at < 20; at++) started.classifier.classify({ text: `again ${at}` })
    started.runComparisons()
    expect(broken.trial?.comparison.counts().errors).toEqual({ events: 20, trials: 20 })
  })
})
