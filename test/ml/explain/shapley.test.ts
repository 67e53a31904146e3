import { beforeAll, describe, expect, test } from "bun:test"
import { join } from "node:path"
import fc from "fast-check"
import type { Features } from "../../../src/events.ts"
import { backgroundFeatures } from "../../../src/ml/explain/background.ts"
import type { Combine } from "../../../src/ml/explain/shapley.ts"
import { ScoreExplainer } from "../../../src/ml/explain/shapley.ts"
import type { AttributableScorer } from "../../../src/ml/models/attributable-scorer.ts"
import { loadAnomalyScorer } from "../../../src/ml/models/isolation-forest-scorer.ts"
import { Random } from "../../../src/ml/random.ts"
import { featurize } from "../../../src/ml/sessions/featurize.ts"
import { generateSessions } from "../../../src/ml/sessions/generate-sessions.ts"
import { heuristicScorer } from "../../../src/ml/sessions/heuristic-scorer.ts"

const FOREST = join(import.meta.dir, "../../../models/session-forest/1.0.0")
const CERTAIN = 0.95
const combine: Combine = (payload, behavior) =>
  Math.max(payload >= CERTAIN ? 0.75 : 0, 0.6 * payload + 0.4 * behavior)

let forest: AttributableScorer = heuristicScorer()
beforeAll(async () => {
  forest = await loadAnomalyScorer(FOREST, { contamination: 0.02 })
}, 60_000)

function draw(seed: number, truth: "benign" | "attack" | "anomalous"): Features {
  const [drawn] = generateSessions({ seed, count: 1, mix: { [truth]: 1 } })
  if (drawn === undefined) throw new Error("one session was asked for")
  return featurize(drawn.session)
}

/** The oracle: gains along seeded random orders of all players, over all background sessions. */
function sampledShapley(features: Features, payload: number, orders: number): Float64Array {
  const random = new Random(17)
  const vector = forest.vector(features)
  const values = new Float64Array(vector.length + 1)
  const background = backgroundFeatures().map((reference) => forest.vector(reference))
  for (let i = 0; i < orders; i++) {
    const order = shuffled(vector.length + 1, random)
    for (const reference of background) {
      const mixed = Float32Array.from(reference)
      let joined = 0
      let before = combine(0, forest.link(forest.latent(mixed)))
      for (const player of order) {
        if (player === vector.length) joined = payload
        else mixed[player] = vector[player] ?? 0
        const after = combine(joined, forest.link(forest.latent(mixed)))
        values[player] = (values[player] ?? 0) + (after - before) / orders / background.length
        before = after
      }
    }
  }
  return values
}

function shuffled(count: number, random: Random): number[] {
  const order = Array.from({ length: count }, (_, i) => i)
  for (let i = count - 1; i > 0; i--) {
    const j = random.between(0, i)
    const swapped = order[i] ?? 0
    order[i] = order[j] ?? 0
    order[j] = swapped
  }
  return order
}

describe("ScoreExplainer", () => {
  test.each([
    [0.5, 0.015],
    [0.97, 0.04],
  ])("ScoreExplainer is close to sampled Shapley values at payload %p", (payload, tolerance) => {
    const explainer = new ScoreExplainer(forest, backgroundFeatures())
    for (const truth of ["benign", "attack", "anomalous"] as const) {
      const features = draw(31, truth)
      const attribution = explainer.explain({ features, payload, combine })
      const expected = sampledShapley(features, payload, 60)
      const actual = [...attribution.features.values(), attribution.payload]
      for (const [i, value] of actual.entries()) {
        expect(Math.abs(value - (expected[i] ?? 0))).toBeLessThan(tolerance)
      }
    }
  })

  test("ScoreExplainer adds up for any payload score and any features", () => {
    const explainer = new ScoreExplainer(forest, backgroundFeatures())
    const share = fc.double({ min: 0, max: 1, noNaN: true })
    const anyFeatures = fc.dictionary(fc.constantFrom(...forest.featureNames), share)
    const addsUp = (features: Features, payload: number): void => {
      const attribution = explainer.explain({ features, payload, combine })
      let sum = attribution.baseValue + attribution.payload
      for (const value of attribution.features.values()) sum += value
      expect(Math.abs(sum - attribution.finalScore)).toBeLessThan(1e-9)
    }
    fc.assert(fc.property(anyFeatures, share, addsUp), { numRuns: 200 })
  })

  test("ScoreExplainer gives behaviour nothing where only the payload counts", () => {
    const explainer = new ScoreExplainer(forest, backgroundFeatures())
    const features = draw(32, "anomalous")
    const attribution = explainer.explain({ features, payload: 0.4, combine: (payload) => payload })
    expect(attribution.payload).toBeCloseTo(0.4, 12)
    for (const value of attribution.features.values()) expect(value).toBe(0)
  })

  test("ScoreExplainer is exact for the heuristic's own features", () => {
    const scorer = heuristicScorer()
    const explainer = new ScoreExplainer(scorer, [{}])
    const features = { is_from_tor: 1 }
    const onlyBehavior: Combine = (_, behavior) => behavior
    const attribution = explainer.explain({ features, payload: 0, combine: onlyBehavior })
    expect(attribution.features.get("is_from_tor")).toBeCloseTo(0.15, 12)
  })
})
