import { expect, test } from "bun:test"
import type { BreakerState } from "../../../src/ml/serving/circuit-breaker.ts"
import { type Traffic, trafficClassifier } from "../../../src/ml/serving/traffic-classifier.ts"
import { combineReports } from "../../../src/ml/serving/traffic-report.ts"
import { TrialComparison } from "../../../src/ml/serving/trial-comparison.ts"
import { flipping, servedModel } from "../../support/served-models.ts"

/** What a process reports that has judged `texts` with a shadow that says the opposite. */
function reportOf(texts: readonly string[], revision = 7) {
  const [model, reference] = [servedModel("new/2", flipping), servedModel("old/1")]
  const comparison = new TrialComparison(model.meter)
  const trial = { model, reference, percent: 0, comparison }
  const traffic: Traffic = { live: reference, standby: undefined, trial }
  const scheduled: (() => void)[] = []
  const schedule = (action: () => void) => void scheduled.push(action)
  const classifier = trafficClassifier({ traffic, nowMs: () => 0, schedule })
  for (const text of texts) classifier.classify({ text })
  for (const action of scheduled) action()
  const models = [reference, model].map(({ modelId, meter, breaker }) => {
    const { state, errorRate } = breaker
    return { modelId, counts: meter.counts(), breaker: state, errorRate }
  })
  const [counts, agreement] = [comparison.counts(), comparison.agreement()]
  const [examples, scores] = [comparison.examples(), comparison.scores()]
  const trialReport = { counts, agreement, examples, scores }
  const cache = classifier.cacheStats()
  const process = { skippedComparisons: 1, residentBytes: 10, cache }
  return { revision, models, trial: trialReport, secondTier: undefined, ...process }
}

const ATTACKS = ["''' a", "''' b", "''' c"]
const BENIGN = ["d", "e"]

test("combineReports of two processes is the report of one that has judged everything", () => {
  const together = reportOf([...ATTACKS, ...BENIGN])
  const combined = combineReports([reportOf(ATTACKS), reportOf(BENIGN)])
  expect(combined).toEqual({ ...together, skippedComparisons: 2, cache: expect.anything() })
  expect(combined.cache).toMatchObject({ entries: 5, entriesMax: 200, misses: 5 })
  expect(combined.trial?.agreement.disagreed).toBe(5)
})

test("combineReports adds what models did under any plan, and trials of the same plan alone", () => {
  const combined = combineReports([reportOf(ATTACKS), reportOf(BENIGN, 6)])
  expect(combined.trial).toEqual(reportOf(ATTACKS).trial)
  expect(combined.models[0]?.counts.classes).toEqual(
    reportOf([...ATTACKS, ...BENIGN]).models[0]?.counts.classes ?? [],
  )
})

test("combineReports shows the worst breaker of all processes", () => {
  const [one, other] = [reportOf(ATTACKS), reportOf(BENIGN)]
  const open = other.models.map((model) => ({ ...model, breaker: "open" as const, errorRate: 0.7 }))
  const [live] = combineReports([one, { ...other, models: open }]).models
  expect([live?.breaker, live?.errorRate]).toEqual(["open", 0.7])
})

test("combineReports shows the worst second tier of the processes that have the same one", () => {
  const tier = (modelId: string, breaker: BreakerState, waiting: number) => {
    const { agreement, examples } = reportOf(ATTACKS).trial
    const trial = { agreement, examples }
    const secondTier = { modelId, breaker, errorRate: waiting / 100, waiting, trial }
    return { ...reportOf(ATTACKS), secondTier }
  }
  const [closed, open] = [tier("deep/1", "closed", 2), tier("deep/1", "open", 7)]
  const { secondTier } = combineReports([closed, open, tier("deep/2", "open", 50)])
  expect(secondTier).toMatchObject({
    modelId: "deep/1",
    breaker: "open",
    errorRate: 0.07,
    waiting: 9,
  })
  expect(secondTier?.trial?.agreement.compared).toBe(2 * ATTACKS.length)
  expect(secondTier?.trial?.examples).toHaveLength(2 * ATTACKS.length)
  expect(combineReports([reportOf(ATTACKS), open]).secondTier).toBeUndefined()
})

test("TrialComparison counts what a shadow says, and both populations on the same payloads", () => {
  const { models, trial } = reportOf([...ATTACKS, ...BENIGN])
  const [live, shadow] = models
  expect(shadow?.counts).toMatchObject({ calls: 5, errors: 0 })
  const total = (counts: readonly number[] = []) => counts.reduce((sum, count) => sum + count, 0)
  expect(total(shadow?.counts.classes)).toBe(5)
  expect(trial.scores.reference).toEqual([...(live?.counts.scores ?? [])])
  expect(trial.scores.trial).toEqual([...(shadow?.counts.scores ?? [])])
  expect(trial.scores.trial).not.toEqual(trial.scores.reference)
})
