import { adversarialExamples } from "../adversary/adversarial-examples.ts"
import type { LabelledPayload } from "../evaluation/labelled-payloads.ts"
import { generatePayloads } from "../generators/payloads.ts"
import { NO_CALIBRATION } from "../models/attack-calibration.ts"
import type { LinearWeights } from "../models/linear-softmax.ts"
import { fieldwiseClassifier } from "../serving/fieldwise-classifier.ts"
import { LinearPayloadClassifier } from "../serving/linear-payload-classifier.ts"
import { MODEL_TYPE } from "../serving/payload-model-files.ts"

const SEED_OFFSET = 500_009
/** Questions to the model for each attack: the easy ways past it, which are the ones to close. */
const BUDGET = 100

/**
 * Attacks rewritten until a model with these weights lets them pass, for the next one to learn
 * from: at most `count` generated payloads are tried, of which the checkable attacks can end up
 * here. None of them is a row of any collection. Deterministic by the weights and the seed.
 */
export function adversarialRows(
  weights: LinearWeights,
  { seed, count }: { readonly seed: number; readonly count: number },
): readonly LabelledPayload[] {
  const attacks = generatePayloads({ seed: seed + SEED_OFFSET, count })
  const found = adversarialExamples({
    seed,
    classifier: fieldwiseClassifier(classifierOf(weights)),
    attacks,
    budget: BUDGET,
  })
  return [...found]
    .filter(({ evaded }) => evaded)
    .map(({ text, label, source, kind }) => ({ text, label, source, ...(kind && { kind }) }))
}

function classifierOf(weights: LinearWeights): LinearPayloadClassifier {
  const model = {
    weights,
    calibration: NO_CALIBRATION,
    thresholds: {},
    certainThreshold: 1,
    provenance: { seed: 0, trainingDataSha256: "", trainingSamples: 0, validationSamples: 0 },
  }
  return new LinearPayloadClassifier(model, {
    modelId: "draft",
    modelType: MODEL_TYPE,
    trainedAt: "",
    trainingSamples: 0,
    validationSamples: 0,
    metrics: {},
  })
}
