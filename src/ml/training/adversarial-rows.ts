import type { PayloadClassifier } from "../../ports.ts"
import { adversarialExamples } from "../adversary/adversarial-examples.ts"
import { type EffectCheck, effectCheck } from "../adversary/effect.ts"
import { mutate } from "../adversary/mutations.ts"
import type { LabelledPayload } from "../evaluation/labelled-payloads.ts"
import { generatePayloads } from "../generators/payloads.ts"
import { NO_CALIBRATION } from "../models/attack-calibration.ts"
import type { LinearWeights } from "../models/linear-softmax.ts"
import { Random } from "../random.ts"
import { draftClassifier } from "./draft-classifier.ts"

const SEED_OFFSET = 500_009
const REWRITTEN_SEED_OFFSET = 600_011
/** Rewritings of one attack by chance: from one place to as many as a search needs. */
const MUTATIONS_MAX = 12
const VARIANTS = 2
const DRAWS_MAX = 5
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
    classifier: draftOf(weights),
    attacks,
    budget: BUDGET,
  })
  return [...found]
    .filter(({ evaded }) => evaded)
    .map(({ text, label, source, kind }) => ({ text, label, source, ...(kind && { kind }) }))
}

/**
 * Attacks rewritten at random places, whatever a model says of them: what a search would begin with.
 * Those whose effect cannot be checked, or that lost it every time, are left out.
 */
export function rewrittenRows({
  seed,
  count,
}: {
  readonly seed: number
  readonly count: number
}): readonly LabelledPayload[] {
  const random = new Random(seed + REWRITTEN_SEED_OFFSET)
  const rows: LabelledPayload[] = []
  for (const attack of generatePayloads({ seed: seed + REWRITTEN_SEED_OFFSET, count })) {
    const works = attack.label === "benign" ? undefined : effectCheck(attack.label, attack.text)
    for (let variant = 0; works !== undefined && variant < VARIANTS; variant++) {
      const text = rewritten(random, attack, works)
      if (text !== undefined) rows.push({ ...attack, text, source: `adversary/${attack.label}` })
    }
  }
  return rows
}

function rewritten(
  random: Random,
  { label, text }: LabelledPayload,
  works: EffectCheck,
): string | undefined {
  for (let draw = 0; draw < DRAWS_MAX; draw++) {
    let candidate = text
    const steps = random.between(1, MUTATIONS_MAX)
    for (let step = 0; step < steps; step++) candidate = mutate(random, label, candidate)
    if (candidate !== text && works(candidate)) return candidate
  }
  return undefined
}

function draftOf(weights: LinearWeights): PayloadClassifier {
  return draftClassifier({
    weights,
    calibration: NO_CALIBRATION,
    thresholds: {},
    certainThreshold: 1,
    provenance: { seed: 0, trainingDataSha256: "", trainingSamples: 0, validationSamples: 0 },
  })
}
