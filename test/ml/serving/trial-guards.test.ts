import { describe, expect, test } from "bun:test"
import {
  FALSE_ALARM_RATE,
  GUARD_RATES,
  type GuardReading,
  MEMORY_GROWTH_MAX,
  MEMORY_LOOKS,
  TrialGuards,
} from "../../../src/ml/serving/trial-guards.ts"
import { seededRandom } from "../../support/seeded-random.ts"

const NOTHING = { events: 0, trials: 0 }
const START: GuardReading = {
  counts: { errors: NOTHING, slow: NOTHING, missedAttacks: NOTHING, falseAlarms: NOTHING },
  reports: NOTHING,
  residentBytes: 200 * 1_048_576,
}

/** A trial whose events come by chance at the given rates, seen after every ten payloads. */
function trial(mode: "canary" | "shadow" | "probation", percent = 10) {
  const guards = new TrialGuards({ mode, percent }, START)
  const totals = {
    errors: { ...NOTHING },
    slow: { ...NOTHING },
    missedAttacks: { ...NOTHING },
    falseAlarms: { ...NOTHING },
    reports: { ...NOTHING },
  }
  const look = (random: () => number, rates: Partial<Record<keyof typeof totals, number>>) => {
    for (const name of Object.keys(rates) as (keyof typeof totals)[]) {
      for (let at = 0; at < 10; at++) {
        totals[name].trials += 1
        if (random() < (rates[name] ?? 0)) totals[name].events += 1
      }
    }
    const { reports, ...counts } = structuredClone(totals)
    return guards.look({ counts, reports, residentBytes: START.residentBytes })
  }
  return { guards, look }
}

describe("TrialGuards", () => {
  test("TrialGuards ends a sound trial no more often than promised, at the worst usual rates", () => {
    // Goal: noise does not trip them. Method: 1,000 seeded trials of 10,000 payloads each, every rate
    // as high as is usual; more than 22 alarms would be four standard deviations above 1%.
    expect(FALSE_ALARM_RATE).toBe(0.01)
    const rates = {
      errors: GUARD_RATES.errors.usual,
      slow: GUARD_RATES.latency.usual,
      missedAttacks: GUARD_RATES.missed_attacks.usual,
      falseAlarms: GUARD_RATES.false_alarms.usual,
      reports: 0.1,
    }
    let alarms = 0
    for (let seed = 0; seed < 1_000; seed++) {
      const random = seededRandom(seed)
      const { look } = trial("canary")
      for (let looks = 0; looks < 200; looks++) {
        if (look(random, rates) === undefined) continue
        alarms += 1
        break
      }
    }
    expect(alarms).toBeLessThanOrEqual(22)
  })

  test.each([
    ["errors", { errors: 1 }, 2],
    ["errors", { errors: 0.1 }, 30],
    ["latency", { slow: 1 }, 2],
    ["missed_attacks", { missedAttacks: 1 }, 2],
    ["false_alarms", { falseAlarms: 1 }, 2],
    ["false_positive_reports", { reports: 0.8 }, 6],
  ] as const)(
    "TrialGuards trips %s at %j within %i looks of ten payloads",
    (guard, rates, looks) => {
      const random = seededRandom(7)
      const { look } = trial("canary")
      const trips = Array.from({ length: looks }, () => look(random, rates))
      expect(trips.find((trip) => trip !== undefined)?.guard).toBe(guard)
    },
  )

  test("TrialGuards says what was seen, and lets a shadow disagree but not fail", () => {
    const canary = trial("canary")
    canary.look(() => 0, { falseAlarms: 1 })
    const reason = canary.look(() => 0, { falseAlarms: 1 })?.reason
    expect(reason).toBe(
      "false_alarms: 20 of 20 benign payloads of the reference were called attacks (usual: up to 1%)",
    )
    const shadow = trial("shadow", 0)
    for (let at = 0; at < 50; at++) {
      expect(shadow.look(() => 0, { falseAlarms: 1, missedAttacks: 1 })).toBeUndefined()
    }
    shadow.look(() => 0, { errors: 1 })
    expect(shadow.look(() => 0, { errors: 1 })?.guard).toBe("errors")
  })

  test("TrialGuards trips on memory that stays, not on memory that is given back", () => {
    const grown = START.residentBytes + MEMORY_GROWTH_MAX
    const leaking = new TrialGuards({ mode: "canary", percent: 1 }, START)
    const looks = Array.from({ length: MEMORY_LOOKS }, () =>
      leaking.look({ ...START, residentBytes: grown }),
    )
    expect(looks.map((trip) => trip?.guard).lastIndexOf(undefined)).toBe(MEMORY_LOOKS - 2)
    expect(looks.at(-1)?.reason).toContain("grown by 512 MiB")
    const collecting = new TrialGuards({ mode: "canary", percent: 1 }, START)
    for (let at = 0; at < 200; at++) {
      const residentBytes = at % 30 === 29 ? START.residentBytes : grown
      expect(collecting.look({ ...START, residentBytes })).toBeUndefined()
    }
  })
})
