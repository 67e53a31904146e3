import { describe, expect, test } from "bun:test"
import { SequentialTest } from "../../../src/ml/serving/sequential-test.ts"
import { seededRandom } from "../../support/seeded-random.ts"

const OPTIONS = { usual: 0.05, bad: 0.2 }
const ALPHA = 0.01

/** Looks `looks` times at `trials` trials each, with the rate that holds at each look. */
function watch(random: () => number, looks: number, rateAt: (look: number) => number) {
  const watched = new SequentialTest(OPTIONS)
  const trials = 20
  for (let look = 0; look < looks; look++) {
    let events = 0
    for (let trial = 0; trial < trials; trial++) if (random() < rateAt(look)) events++
    watched.observe({ events, trials })
    if (watched.evidence >= 1 / ALPHA) return look
  }
  return undefined
}

describe("SequentialTest", () => {
  test("SequentialTest alarms falsely no more often than promised, at the worst usual rate", () => {
    // Goal: Ville's bound holds over 500 looks. Method: 1,000 seeded watches; 23 of them are more than
    // four standard deviations above the promised 10.
    let alarms = 0
    for (let seed = 0; seed < 1_000; seed++) {
      if (watch(seededRandom(seed), 500, () => OPTIONS.usual) !== undefined) alarms++
    }
    expect(alarms).toBeLessThanOrEqual(22)
  })

  test("SequentialTest notices a bad rate at once, and one that turns bad late soon after", () => {
    for (let seed = 0; seed < 50; seed++) {
      expect(watch(seededRandom(seed), 50, () => 0.25) ?? 50).toBeLessThan(25)
      const turned = (look: number) => (look < 1_000 ? 0.02 : 0.25)
      const noticed = watch(seededRandom(seed), 1_100, turned) ?? 1_100
      expect(noticed).toBeGreaterThanOrEqual(1_000)
      expect(noticed).toBeLessThan(1_060)
    }
  })

  test("SequentialTest learns nothing from no trials and never loses evidence", () => {
    const watched = new SequentialTest(OPTIONS)
    watched.observe({ events: 0, trials: 0 })
    expect(watched.evidence).toBe(1)
    watched.observe({ events: 20, trials: 20 })
    const { evidence } = watched
    watched.observe({ events: 0, trials: 1_000 })
    expect(watched.evidence).toBe(evidence)
  })
})
