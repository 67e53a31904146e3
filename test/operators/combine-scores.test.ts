import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import type { AnomalyScore, JudgedEvidence, PayloadPrediction } from "../../src/events.ts"
import { heuristicScorer } from "../../src/ml/sessions/heuristic-scorer.ts"
import {
  cappedPayloadScore,
  combineScores,
  combineScoresOperator,
  PREDICTIONS_MAX,
  verdictWord,
} from "../../src/operators/combine-scores.ts"
import { featurized, prediction, scored } from "../support/judged-evidence.ts"
import { operatorContext } from "../support/operator-context.ts"

const OPTIONS = {
  weights: { payload: 0.6, behavior: 0.4 },
  thresholds: { simulate: 0.75, tag: 0.5 },
  certainThreshold: 0.9,
}
const share = fc.double({ min: 0, max: 1, noNaN: true })

describe("combineScores", () => {
  test("combineScores never falls when the payload or the behaviour gets worse", () => {
    const optionsOf = fc.record({
      weights: share.map((payload) => ({ payload, behavior: 1 - payload })),
      thresholds: fc.tuple(share, share).map(([a, b]) => ({
        simulate: Math.max(a, b),
        tag: Math.min(a, b),
      })),
      certainThreshold: share,
    })
    const grows = (options: typeof OPTIONS, numbers: readonly number[]): void => {
      const [payload = 0, behavior = 0, more = 0] = numbers
      const score = combineScores({ ...options, payload, behavior })
      const worse = (value: number): number => value + more * (1 - value)
      const worsePayload = combineScores({ ...options, payload: worse(payload), behavior })
      const worseBehavior = combineScores({ ...options, payload, behavior: worse(behavior) })
      expect(worsePayload).toBeGreaterThanOrEqual(score - 1e-12)
      expect(worseBehavior).toBeGreaterThanOrEqual(score - 1e-12)
      expect(score >= 0 && score <= 1).toBe(true)
    }
    fc.assert(fc.property(optionsOf, fc.tuple(share, share, share), grows), { numRuns: 1_000 })
  })

  test("combineScores mixes by the weights below the certain threshold", () => {
    expect(combineScores({ ...OPTIONS, payload: 0.5, behavior: 0.25 })).toBeCloseTo(0.4, 12)
  })

  test("combineScores lifts a certain payload to simulate however calm its session", () => {
    const score = combineScores({ ...OPTIONS, payload: 0.9, behavior: 0 })
    expect(score).toBeCloseTo(0.75, 12)
    expect(combineScores({ ...OPTIONS, payload: 1, behavior: 0 })).toBe(1)
    const edge = { ...OPTIONS, certainThreshold: 1 }
    expect(combineScores({ ...edge, payload: 1, behavior: 0 })).toBe(0.75)
  })

  test("verdictWord includes both thresholds", () => {
    const words = [0.75, 0.7499, 0.5, 0.4999].map((s) => verdictWord(s, OPTIONS.thresholds))
    expect(words).toEqual(["simulate", "tag", "tag", "benign"])
  })
})

describe("cappedPayloadScore", () => {
  test("cappedPayloadScore lets an attack that cannot be simulated tag, and never simulate", () => {
    fc.assert(
      fc.property(share, share, (any, behavior) => {
        const payload = cappedPayloadScore({ any, simulated: 0 }, behavior, OPTIONS)
        const score = combineScores({ ...OPTIONS, payload, behavior })
        expect(verdictWord(score, OPTIONS.thresholds)).not.toBe("simulate")
        expect(score).toBeLessThanOrEqual(combineScores({ ...OPTIONS, payload: any, behavior }))
      }),
    )
    const sure = cappedPayloadScore({ any: 1, simulated: 0 }, 0.1, OPTIONS)
    const score = combineScores({ ...OPTIONS, payload: sure, behavior: 0.1 })
    expect(verdictWord(score, OPTIONS.thresholds)).toBe("tag")
  })

  test("cappedPayloadScore leaves the score of what can be simulated alone", () => {
    expect(cappedPayloadScore({ any: 0.99, simulated: 0.97 }, 0.5, OPTIONS)).toBe(0.97)
    expect(cappedPayloadScore({ any: 0.6, simulated: 0.6 }, 1, OPTIONS)).toBe(0.6)
  })

  test("cappedPayloadScore and combineScores never fall when payload or behaviour get worse", () => {
    const grows = (numbers: readonly number[]): void => {
      const [first = 0, second = 0, behavior = 0, more = 0] = numbers
      const [simulated, any] = [Math.min(first, second), Math.max(first, second)]
      const of = (payloads: { any: number; simulated: number }, given: number) => {
        const payload = cappedPayloadScore(payloads, given, OPTIONS)
        return combineScores({ ...OPTIONS, payload, behavior: given })
      }
      const worse = (value: number): number => value + more * (1 - value)
      const score = of({ any, simulated }, behavior)
      const worsePayload = of({ any: worse(any), simulated }, behavior)
      expect(worsePayload).toBeGreaterThanOrEqual(score - 1e-12)
      const worseKnown = of({ any: worse(any), simulated: worse(simulated) }, behavior)
      expect(worseKnown).toBeGreaterThanOrEqual(score - 1e-12)
      expect(of({ any, simulated }, worse(behavior))).toBeGreaterThanOrEqual(score - 1e-8)
    }
    fc.assert(fc.property(fc.tuple(share, share, share, share), grows), { numRuns: 1_000 })
  })
})

const anomaly = heuristicScorer()
const CALM: AnomalyScore = { score: 0.1, method: "forest", model: "forest-test" }
const INFO = { ...anomaly.info, modelId: "payload-model" }
const operator = combineScoresOperator({
  weights: OPTIONS.weights,
  thresholds: OPTIONS.thresholds,
  classifier: { info: INFO, certainThreshold: 0.9 },
  anomaly,
})

async function judge(
  classification: readonly PayloadPrediction[] | { failed: string },
  behaviour: AnomalyScore | { failed: string } = CALM,
): Promise<JudgedEvidence["verdict"]> {
  const evidence = scored(featurized(1), { classification, anomaly: behaviour })
  return (await operator.process(evidence, operatorContext())).verdict
}

describe("combineScoresOperator", () => {
  test("combineScoresOperator writes the wire verdict of a calm session", async () => {
    const verdict = await judge([prediction(0.02)])
    expect(verdict).toMatchObject({
      event_id: "event-1",
      timestamp: "2026-01-05T00:00:00.000Z",
      verdict: "benign",
      behavioral_score: 0.1,
      behavioral_method: "forest",
      integrity: "verified",
      model: { payload: "payload-test", anomaly: "forest-test" },
      degraded: false,
      degraded_reasons: [],
      truncated: false,
      context: { source: "test" },
    })
    expect(verdict.final_score).toBeCloseTo(0.6 * 0.02 + 0.4 * 0.1, 12)
  })

  test("combineScoresOperator says simulate for one certain payload in a calm session", async () => {
    expect(await judge([prediction(0.01), prediction(0.97)])).toMatchObject({ verdict: "simulate" })
  })

  test.each([
    ["the classifier", { failed: "MODEL_REFUSED" }, CALM],
    ["the anomaly scorer", [prediction(0.01)], { failed: "TIMEOUT" }],
    ["both", { failed: "A" }, { failed: "B" }],
  ])("combineScoresOperator never says benign when %s failed", async (_, payloads, behaviour) => {
    const verdict = await judge(payloads, behaviour)
    expect(verdict).toMatchObject({ verdict: "tag", degraded: true, final_score: 0.5 })
    expect(verdict.degraded_reasons.length).toBeGreaterThan(0)
  })

  test("combineScoresOperator says tag for payloads judged without a model", async () => {
    const verdict = await judge([{ ...prediction(0.01), method: "degraded" }])
    expect(verdict).toMatchObject({ verdict: "tag", degraded: true })
  })

  test("combineScoresOperator keeps simulate when only the anomaly scorer failed", async () => {
    expect(await judge([prediction(0.99)], { failed: "X" })).toMatchObject({
      verdict: "simulate",
      degraded: true,
      behavioral_method: "degraded",
    })
  })

  test("combineScoresOperator tags an attack of another kind and says which class it is", async () => {
    const probabilities = { sql_injection: 0.0005, other_attack: 0.999, benign: 0.0005 }
    const other = { ...prediction(0.9995), class: "other_attack", probabilities }
    const verdict = await judge([prediction(0.001), other], { ...CALM, score: 0.9 })
    expect(verdict.verdict).toBe("tag")
    expect(verdict.payload_predictions[0]?.class).toBe("other_attack")
    const { payload_score: payload, behavioral_score: behavior } = verdict
    expect(verdict.final_score).toBe(combineScores({ ...OPTIONS, payload, behavior }))
  })

  test("combineScoresOperator shows the worst payloads first, redacted, within its bounds", async () => {
    const many = Array.from({ length: 200 }, (_, i) => prediction(i / 1_000, { id: `p${i}` }))
    const secret = prediction(0.95, {
      id: "worst",
      text: `hunter2hunter2' OR 1=1-- ${"x".repeat(500)}`,
      location: "form:password",
    })
    const { payload_predictions: shown } = await judge([...many, secret])
    expect(shown).toHaveLength(PREDICTIONS_MAX)
    expect(shown[0]).toMatchObject({ payload_id: "worst", location: "form:password" })
    expect(shown[0]?.payload_value).not.toContain("hunter2")
    expect(shown.every(({ payload_value: value }) => value.length <= 100)).toBe(true)
    expect(shown[1]?.payload_id).toBe("p199")
  })

  test("combineScoresOperator leaves its input unchanged", async () => {
    const evidence = scored(featurized(2), { classification: [prediction(0.3)], anomaly: CALM })
    const before = structuredClone(evidence)
    await operator.process(evidence, operatorContext())
    expect(evidence).toEqual(before)
  })
})
