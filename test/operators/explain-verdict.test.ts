import { beforeAll, describe, expect, test } from "bun:test"
import { join } from "node:path"
import type {
  AnomalyScore,
  ExplainedVerdict,
  Explanation,
  FeaturizedEvidence,
  PayloadPrediction,
  ScorerFailure,
} from "../../src/events.ts"
import { PAYLOAD_SCORE } from "../../src/ml/explain/explanation.ts"
import type { AttributableScorer } from "../../src/ml/models/attributable-scorer.ts"
import { loadAnomalyScorer } from "../../src/ml/models/isolation-forest-scorer.ts"
import { FEATURE_TABLE } from "../../src/ml/sessions/feature-table.ts"
import { heuristicScorer } from "../../src/ml/sessions/heuristic-scorer.ts"
import { combineScoresOperator } from "../../src/operators/combine-scores.ts"
import type { ExplainParts } from "../../src/operators/explain-verdict.ts"
import { explainVerdict, featureExplainer } from "../../src/operators/explain-verdict.ts"
import { scoreAnomaly } from "../../src/operators/score-anomaly.ts"
import { featurized, prediction, scored } from "../support/judged-evidence.ts"
import { operatorContext } from "../support/operator-context.ts"

const FOREST = join(import.meta.dir, "../../models/session-forest/1.0.0")
const NAMES = [...FEATURE_TABLE.map(({ name }) => name), PAYLOAD_SCORE].sort()

/** Marks the whole text as one span. */
const classifier: ExplainParts["classifier"] = {
  certainThreshold: 0.9,
  explain: ({ text }) => [{ start: 0, end: text.length, text, shap_value: 2 }],
}

function partsOf(anomaly: AttributableScorer): ExplainParts {
  const weights = { payload: 0.6, behavior: 0.4 }
  return { weights, thresholds: { simulate: 0.75, tag: 0.5 }, classifier, anomaly }
}

async function explained(
  anomaly: AttributableScorer,
  evidence: FeaturizedEvidence,
  results: {
    classification?: readonly PayloadPrediction[] | ScorerFailure
    anomaly?: AnomalyScore | ScorerFailure
  } = {},
): Promise<ExplainedVerdict> {
  const parts = partsOf(anomaly)
  const context = operatorContext()
  const score = results.anomaly ?? (await scoreAnomaly(anomaly).process(evidence, context))
  const classification = results.classification ?? [prediction(0.03)]
  const info = { ...anomaly.info, modelId: "payload-model" }
  const combine = combineScoresOperator({ ...parts, classifier: { ...classifier, info } })
  const judged = await combine.process(
    scored(evidence, { classification, anomaly: score }),
    context,
  )
  return explainVerdict(parts).process(judged, context)
}

function sumOf(explanation: Explanation): number {
  const { base_value: base, feature_importances: importances } = explanation
  return importances.reduce((sum, { importance }) => sum + importance, base)
}

const scorers: Record<string, AttributableScorer> = { heuristic: heuristicScorer() }
beforeAll(async () => {
  scorers.forest = await loadAnomalyScorer(FOREST, { contamination: 0.02 })
}, 60_000)

function scorer(name: string): AttributableScorer {
  return scorers[name] ?? heuristicScorer()
}

test("explainVerdict explains by the model that judged, although another one is live by then", async () => {
  const anomaly = scorer("heuristic")
  const parts = partsOf(anomaly)
  const context = operatorContext()
  const evidence = featurized(3, "attack")
  const classification = [prediction(0.95)]
  const score = await scoreAnomaly(anomaly).process(evidence, context)
  const info = { ...anomaly.info, modelId: "payload-model" }
  const combine = combineScoresOperator({ ...parts, classifier: { ...classifier, info } })
  const judged = await combine.process(
    scored(evidence, { classification, anomaly: score }),
    context,
  )
  const cautious = { ...parts, classifier: { ...classifier, certainThreshold: 0.999 } }
  const { explanation, verdict } = await explainVerdict(cautious).process(judged, context)
  expect(sumOf(explanation)).toBeCloseTo(verdict.final_score, 9)
})

describe.each(["forest", "heuristic"])("explainVerdict with the %s", (name) => {
  test("explainVerdict adds up: base value and all importances are the final score", async () => {
    for (const truth of ["benign", "attack", "anomalous"] as const) {
      for (let seed = 1; seed <= 12; seed++) {
        const classification = [prediction((seed * 0.083) % 1)]
        const { explanation, verdict } = await explained(scorer(name), featurized(seed, truth), {
          classification,
        })
        expect(explanation.final_score).toBe(verdict.final_score)
        expect(Math.abs(sumOf(explanation) - verdict.final_score)).toBeLessThan(1e-9)
      }
    }
  })

  test("explainVerdict adds up when a scorer failed", async () => {
    const failed = { failed: "TIMEOUT" }
    for (const results of [{ anomaly: failed }, { classification: failed }]) {
      const { explanation, verdict } = await explained(scorer(name), featurized(3), results)
      expect(explanation.final_score).toBe(verdict.final_score)
      expect(Math.abs(sumOf(explanation) - verdict.final_score)).toBeLessThan(1e-9)
    }
  })

  test("explainVerdict is complete over the table and the payload score", async () => {
    const { explanation } = await explained(scorer(name), featurized(4))
    expect(explanation.feature_importances.map(({ feature }) => feature).sort()).toEqual(NAMES)
    const { total_positive_contribution: up, total_negative_contribution: down } =
      explanation.shap_summary
    expect(explanation.base_value + up + down).toBeCloseTo(explanation.final_score, 9)
  })

  test("explainVerdict gives no importance to a feature the scorer does not read", async () => {
    const { explanation } = await explained(scorer(name), featurized(5, "attack"))
    const read = new Set([...scorer(name).featureNames, PAYLOAD_SCORE])
    for (const { feature, importance } of explanation.feature_importances) {
      if (!read.has(feature)) expect(importance).toBe(0)
    }
  })
})

describe("explainVerdict", () => {
  test("explainVerdict gives the same bytes for the same evidence", async () => {
    const run = async () => JSON.stringify(await explained(scorer("forest"), featurized(6)))
    expect(await run()).toBe(await run())
  })

  test("explainVerdict names the payload, the behaviour, the intent and the integrity", async () => {
    const { explanation } = await explained(scorer("forest"), featurized(7, "anomalous"), {
      classification: [prediction(0.97, { text: "1' OR 1=1" })],
    })
    const { narrative } = explanation
    expect(narrative).toContain("SIMULATE")
    expect(narrative).toContain("query:q is 97% sql injection")
    expect(narrative).toContain("Behaviour that raises it:")
    expect(narrative).toContain("Intent:")
    expect(narrative).toContain("Evidence integrity: verified.")
  })

  test("explainVerdict says when a timestamp is that of the arrival", async () => {
    const sentence = "its timestamp is that of its arrival"
    const dated = await explained(scorer("forest"), featurized(7))
    expect(dated.explanation.narrative).not.toContain(sentence)
    const undated = { ...featurized(7), eventTimeSource: "arrival" } as const
    const { verdict, explanation } = await explained(scorer("forest"), undated)
    expect(verdict.timestamp_source).toBe("arrival")
    expect(explanation.narrative).toContain(sentence)
  })

  test("explainVerdict does not call an unusual session ordinary for want of a payload", async () => {
    const { verdict, explanation } = await explained(scorer("forest"), featurized(7, "anomalous"))
    expect(verdict.behavioral_score).toBeGreaterThanOrEqual(0.5)
    expect(explanation.narrative).toContain("its behaviour is unusual")
  })

  test("explainVerdict keeps control characters and secrets out of the narrative and the spans", async () => {
    const text = "hunter2hunter2' OR 1=1\u0000\u001b[31m\u202e"
    const payload = { text, location: "form:\u0007password" }
    const { explanation } = await explained(scorer("forest"), featurized(8), {
      classification: [prediction(0.99, payload)],
    })
    expect(explanation.narrative).not.toMatch(/\p{C}/u)
    expect(explanation.narrative).not.toContain("hunter2")
    expect(JSON.stringify(explanation.payload_spans)).not.toContain("hunter2")
  })

  test("explainVerdict redacts spans by position, not by what else reads like them", async () => {
    const text = "q=admin&password=admin' OR 1=1--"
    const { explanation } = await explained(scorer("forest"), featurized(8), {
      classification: [prediction(0.99, { text, location: "body" })],
    })
    const shown = explanation.payload_spans.map((span) => span.text)
    expect(shown).toEqual(["q=admin&password=[redacted]' OR 1=1--"])
  })

  test("explainVerdict shows spans of at most three payloads, attacks only", async () => {
    const attacks = Array.from({ length: 9 }, (_, i) => prediction(0.91, { id: `a${i}` }))
    const classification = [prediction(0.1, { id: "calm" }), ...attacks]
    const { explanation } = await explained(scorer("forest"), featurized(9), { classification })
    expect(explanation.payload_spans.map(({ payload_id: id }) => id)).toEqual(["a0", "a1", "a2"])
  })

  test("explainVerdict adds the suspects, whole, to a verdict of simulate and to no other", async () => {
    const attack = prediction(0.999, { id: "a0", text: "password=hunter2' OR 1=1--" })
    const judged = await explained(scorer("forest"), featurized(9, "attack"), {
      classification: [attack, prediction(0.1, { id: "calm" })],
    })
    expect(judged.verdict.verdict).toBe("simulate")
    expect(judged.suspects).toMatchObject([{ payload_id: "a0", value: attack.payload.text }])
    const { suspects: _, ...shown } = judged
    expect(JSON.stringify(shown)).not.toContain("hunter2")
    const calm = await explained(scorer("forest"), featurized(9))
    expect(calm).not.toHaveProperty("suspects")
  })

  test("explainVerdict says that an answer is degraded and why", async () => {
    const { explanation } = await explained(scorer("forest"), featurized(3), {
      classification: { failed: "TIMEOUT" },
    })
    expect(explanation.narrative).toContain("could not be fully analysed")
    expect(explanation.narrative).toContain("payload classifier: TIMEOUT")
  })
})

describe("featureExplainer", () => {
  test("featureExplainer explains any subset of the features and adds up", () => {
    const explain = featureExplainer(partsOf(scorer("forest")), () => 0)
    for (const features of [{}, { not_found_rate: 0.9, n_requests: 80 }, { unknown: 5 }]) {
      const explanation = explain(features, "tag")
      expect(explanation.feature_importances.map(({ feature }) => feature).sort()).toEqual(NAMES)
      expect(Math.abs(sumOf(explanation) - explanation.final_score)).toBeLessThan(1e-9)
      expect(explanation.generated_at).toBe("1970-01-01T00:00:00.000Z")
    }
  })

  test("featureExplainer repeats the explanation of a verdict from the verdict's features", async () => {
    const classification = [prediction(0.7)]
    const { verdict, explanation } = await explained(
      scorer("forest"),
      featurized(10, "anomalous"),
      { classification },
    )
    const again = featureExplainer(partsOf(scorer("forest")), () => 0)(
      verdict.features,
      verdict.verdict,
    )
    expect(again.final_score).toBe(explanation.final_score)
    expect(again.feature_importances).toEqual([...explanation.feature_importances])
  })
})
