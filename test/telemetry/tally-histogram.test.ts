import { expect, test } from "bun:test"
import fc from "fast-check"
import { Histogram, type Metric, Registry } from "prom-client"
import { TallyHistogram } from "../../src/telemetry/tally-histogram.ts"

const BUCKETS = [0.001, 0.01, 0.1, 1]
const DESCRIBED = { name: "latency_seconds", help: "Time of a call." }

test("TallyHistogram renders what prom-client's own histogram does", async () => {
  const observed = fc.oneof(
    fc.constantFrom(...BUCKETS, 0),
    fc.double({ min: 0, max: 5, noNaN: true }),
  )
  const observations = fc.array(fc.tuple(fc.constantFrom("ok", "failed"), observed), {
    maxLength: 50,
  })
  await fc.assert(
    fc.asyncProperty(observations, async (list) => {
      expect(await renderTally(list)).toBe(await renderOracle(list))
    }),
  )
})

type Observations = readonly (readonly [outcome: string, seconds: number])[]

async function renderTally(observations: Observations): Promise<string> {
  const registry = new Registry()
  const histogram = new TallyHistogram({ ...DESCRIBED, buckets: BUCKETS })
  registry.registerMetric(histogram as unknown as Metric)
  const outcomes = new Set(observations.map(([outcome]) => outcome))
  const series = new Map([...outcomes].map((outcome) => [outcome, histogram.series({ outcome })]))
  for (const [outcome, seconds] of observations) series.get(outcome)?.observe(seconds)
  return registry.metrics()
}

async function renderOracle(observations: Observations): Promise<string> {
  const registry = new Registry()
  const histogram = new Histogram({
    ...DESCRIBED,
    labelNames: ["outcome"],
    buckets: BUCKETS,
    registers: [registry],
  })
  for (const [outcome, seconds] of observations) histogram.observe({ outcome }, seconds)
  return registry.metrics()
}
