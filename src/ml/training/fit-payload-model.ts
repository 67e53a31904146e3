import { PAYLOAD_CLASSES } from "../../events.ts"
import type { LabelledPayload } from "../evaluation/labelled-payloads.ts"
import type { AttackCalibration } from "../models/attack-calibration.ts"
import { roundToHalf } from "../models/linear-onnx.ts"
import { CLASS_COUNT, type LinearWeights } from "../models/linear-softmax.ts"
import { DENSE_NAMES } from "../text/dense-features.ts"
import { adversarialRows, rewrittenRows } from "./adversarial-rows.ts"
import { augmentRows } from "./augment.ts"
import { fitCalibration, type ScoredText } from "./fit-calibration.ts"
import { foldSources } from "./source-folds.ts"
import { trainLinear } from "./train-linear.ts"
import { TrainingSet } from "./training-set.ts"

const EPOCHS = 4
const LEARNING_RATE = 0.3
const FOLDS = 4
/**
 * How much stronger the evidence for `other_attack` must be, in log-odds: its kinds are many and its
 * examples generated, and it must not cost the named classes false alarms. Chosen on validate.
 */
const OTHER_PENALTY = 3.5
/**
 * What is left of the weights of what the normaliser undid. The text itself is judged as it reads;
 * how it was spelt is a hint, or ordinary text would be an attack for having passed two encoders.
 */
const HINT_WEIGHT = 0.25
/** Payloads that are rewritten, by chance and by the adversary, for each generated one. */
const ATTACKED_SHARE = 0.25
/** Share of benign texts among what the calibrated probabilities are meant for. Chosen on validate. */
const BENIGN_PRIOR = 0.88

export interface TrainingRows {
  readonly collected: readonly LabelledPayload[]
  readonly generated: readonly LabelledPayload[]
  readonly seed: number
}

export interface FittedModel {
  readonly weights: LinearWeights
  readonly calibration: AttackCalibration
  /** All that the weights were learnt from, in order. */
  readonly rows: readonly LabelledPayload[]
  /** Models that left a fold of the collected sources out, with the rows left out. */
  readonly heldOut: readonly HeldOutFold[]
}

export interface HeldOutFold {
  readonly weights: LinearWeights
  /** Collected rows, as they were collected. */
  readonly rows: readonly LabelledPayload[]
}

/**
 * Learns weights from all rows, and their calibration from models that each left some of the
 * collected sources out. Deterministic by the seed.
 */
export function fitPayloadModel(
  parts: TrainingRows,
  progress: (message: string) => void,
): FittedModel {
  const { seed } = parts
  const set = new TrainingSet()
  const folds = foldsOf(parts)
  for (const [fold, rows] of folds.entries()) set.add([...rows, ...augmentRows(rows, seed)], fold)
  const count = Math.round(parts.generated.length * ATTACKED_SHARE)
  set.add(alwaysLearnt(parts))
  set.add(rewrittenRows({ seed, count: 2 * count }))
  const first = fit(set, { seed, progress })
  const evasions = adversarialRows(first, { seed, count })
  progress(`${evasions.length} rewritten attacks got past the model: learning from them too`)
  set.add(evasions)
  const weights = roundToHalf(fit(set, { seed, progress }))
  progress("calibrating on sources left out")
  const models = folds.map((_, fold) => fit(set, { seed, examples: set.select(fold, "out") }))
  const scored = models.flatMap((model, fold) => set.score(model, set.select(fold, "in")))
  const heldOut = models.map((model, fold) => ({ weights: model, rows: folds[fold] ?? [] }))
  return { weights, rows: set.rows, calibration: fitCalibration(weigh(scored)), heldOut }
}

/**
 * What is left out together: whole sources, with all that is made from them. Without collected rows
 * a fifth of the generated ones.
 */
function foldsOf({ collected, generated }: TrainingRows): readonly (readonly LabelledPayload[])[] {
  if (collected.length === 0) return [generated.slice(trainedShare(generated))]
  const folds = foldSources(collected, FOLDS)
  return Array.from({ length: FOLDS }, (_, fold) =>
    collected.filter(({ source }) => folds.get(source) === fold),
  )
}

function alwaysLearnt({ collected, generated }: TrainingRows): readonly LabelledPayload[] {
  return collected.length === 0 ? generated.slice(0, trainedShare(generated)) : generated
}

function trainedShare(generated: readonly LabelledPayload[]): number {
  return Math.floor(generated.length * 0.8)
}

interface FitOptions {
  readonly seed: number
  /** Default all. */
  readonly examples?: Int32Array
  readonly progress?: (message: string) => void
}

function fit(set: TrainingSet, { seed, examples, progress }: FitOptions): LinearWeights {
  const weights = trainLinear(set.examples, {
    seed,
    ...(examples && { examples }),
    epochs: EPOCHS,
    learningRate: LEARNING_RATE,
    onEpoch: (epoch, loss) =>
      progress?.(`epoch ${epoch + 1} of ${EPOCHS}: loss ${loss.toFixed(4)}`),
  })
  weakenHints(weights)
  const other = PAYLOAD_CLASSES.indexOf("other_attack")
  weights.bias[other] = (weights.bias[other] ?? 0) - OTHER_PENALTY
  return weights
}

function weakenHints({ dense }: LinearWeights): void {
  for (const [feature, name] of DENSE_NAMES.entries()) {
    if (!name.startsWith("undone.") || name === "undone.upper") continue
    for (let at = feature * CLASS_COUNT; at < (feature + 1) * CLASS_COUNT; at++) {
      dense[at] = (dense[at] ?? 0) * HINT_WEIGHT
    }
  }
}

/** The two sides count by the prior, whatever the collections have. */
function weigh(examples: readonly ScoredText[]): readonly ScoredText[] {
  const attacks = examples.filter(({ attack }) => attack).length
  const share = attacks / Math.max(1, examples.length)
  return examples.map((example) => {
    const weight = example.attack ? (1 - BENIGN_PRIOR) / share : BENIGN_PRIOR / (1 - share)
    return { ...example, weight }
  })
}
