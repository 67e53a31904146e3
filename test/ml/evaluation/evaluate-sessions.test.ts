import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { evaluateSessions } from "../../../src/ml/evaluation/evaluate-sessions.ts"
import { wilsonInterval } from "../../../src/ml/evaluation/wilson.ts"

describe("evaluateSessions", () => {
  test("evaluateSessions gives the share flagged of each truth that occurs, then of its populations", async () => {
    const shares = await evaluateSessions([
      { truth: "benign", verdict: { verdict: "tag", behavioral_score: 0.1 } },
      {
        truth: "attack",
        population: "scanner",
        verdict: { verdict: "simulate", behavioral_score: 0.9 },
      },
      { truth: "attack", verdict: { verdict: "benign", behavioral_score: 0.1 } },
    ])
    expect(shares).toMatchObject([
      { truth: "attack", sessions: 2, flagged: 0.5, simulated: 0.5, unusualBehavior: 0.5 },
      { truth: "attack", population: "scanner", sessions: 1, flagged: 1 },
      { truth: "benign", sessions: 1, flagged: 1, simulated: 0, unusualBehavior: 0 },
    ])
    expect(shares[0]).not.toHaveProperty("population")
  })

  test("evaluateSessions bounds the populations that it counts apart", async () => {
    const verdict = { verdict: "tag", behavioral_score: 0 } as const
    const rows = Array.from({ length: 1_000 }, (_, index) => ({
      truth: "benign" as const,
      population: `p${index}`,
      verdict,
    }))
    const [all, ...populations] = await evaluateSessions(rows)
    expect(all).toMatchObject({ sessions: 1_000 })
    expect(populations.length).toBeLessThan(201)
  })
})

describe("wilsonInterval", () => {
  test.each([
    // Agresti, Coull 1998 and any table of Wilson's: 0 of 10, 5 of 10, 10 of 10.
    [0, 10, 0, 0.2775],
    [5, 10, 0.2366, 0.7634],
    [10, 10, 0.7225, 1],
  ])("wilsonInterval of %d of %d", (hits, total, low, high) => {
    const interval = wilsonInterval({ hits, total })
    expect(interval.low).toBeCloseTo(low, 4)
    expect(interval.high).toBeCloseTo(high, 4)
  })

  test("wilsonInterval lies within 0..1 and around the share", () => {
    fc.assert(
      fc.property(fc.nat(1_000), fc.nat(1_000), (hits, more) => {
        const total = hits + more + 1
        const { low, high } = wilsonInterval({ hits, total })
        expect(low).toBeGreaterThanOrEqual(0)
        expect(high).toBeLessThanOrEqual(1)
        expect(low).toBeLessThanOrEqual(hits / total + 1e-12)
        expect(high).toBeGreaterThanOrEqual(hits / total - 1e-12)
      }),
    )
  })
})
