import { PAYLOAD_CLASSES } from "../../events.ts"
import type { LabelledPayload } from "../evaluation/labelled-payloads.ts"
import type { AttackCalibration } from "../models/attack-calibration.ts"
import { roundToHalf } from "../models/linear-onnx.ts"
import { CLASS_COUNT, type LinearWeights } from "../models/linear-softmax.ts"
import { DENSE_NAMES } from "../text/dense-features.ts"
import { adversarialRows } from "./adversarial-rows.ts"
import { augmentRows } from "./augment.ts"
import { ExampleSet } from "./example-set.ts"
import { fitCalibration, type ScoredText } from "./fit-calibration.ts"
import { foldSources, scoreRows } from "./source-folds.ts"
import { trainLinear } from "./train-linear.ts"

const EPOCHS = 4
const LEARNING_RATE = 0.3
const FOLDS = 4
/**
 * How much stronger the evidence for `other_attack` must be, in log-odds: its kinds are many and its
 * examples generated, and it must not cost the named classes false alarms. Chosen on validate.
 */
const OTHER_PENALTY = 3
/**
 * What is left of the weights of what the normaliser undid. The text itself is judged as it reads;
 * how it was spelt is a hint, or ordinary text would be an attack for having passed two encoders.
 */
const HINT_WEIGHT = 0.25
/** Payloads that the adversary is given, for each generated one. */
const ATTACKED_SHARE = 0.25
/** Share of benign texts among what the calibrated probabilities are meant for. */
const BENIGN_PRIOR = 0.77

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
}

/**
 * Learns weights from all rows, and their calibration from models that each left some of the
 * collected sources out. Deterministic by the seed.
 */
export function fitPayloadModel(
  parts: TrainingRows,
  progress: (message: string) => void,
): FittedModel {
  const first = trainRows(learntRows(parts), parts.seed, progress)
  const count = Math.round(parts.generated.length * ATTACKED_SHARE)
  const evasions = adversarialRows(first, { seed: parts.seed, count })
  progress(`${evasions.length} rewritten attacks got past the model: learning from them too`)
  const all = { ...parts, generated: [...parts.generated, ...evasions] }
  const rows = learntRows(all)
  const weights = roundToHalf(trainRows(rows, parts.seed, progress))
  progress("calibrating on sources left out")
  return { weights, rows, calibration: fitCalibration(weigh(scoreHeldOut(all))) }
}

function learntRows({ collected, generated, seed }: TrainingRows): readonly LabelledPayload[] {
  return [...collected, ...augmentRows(collected, seed), ...generated]
}

function trainRows(
  rows: readonly LabelledPayload[],
  seed: number,
  progress: (message: string) => void = () => {},
): LinearWeights {
  const examples = new ExampleSet()
  for (const row of rows) examples.add(row)
  const weights = trainLinear(examples, {
    seed,
    epochs: EPOCHS,
    learningRate: LEARNING_RATE,
    onEpoch: (epoch, loss) => progress(`epoch ${epoch + 1} of ${EPOCHS}: loss ${loss.toFixed(4)}`),
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

/** Scores each fold of the sources by a model that was trained on the others. */
function scoreHeldOut(parts: TrainingRows): readonly ScoredText[] {
  const { collected, generated, seed } = parts
  if (collected.length === 0) {
    const cut = Math.floor(generated.length * 0.8)
    return scoreRows(trainRows(generated.slice(0, cut), seed), generated.slice(cut))
  }
  const folds = foldSources(collected, FOLDS)
  return Array.from({ length: FOLDS }, (_, fold) => {
    const others = collected.filter((row) => folds.get(row.source) !== fold)
    const weights = trainRows(learntRows({ ...parts, collected: others, generated }), seed)
    const left = collected.filter((row) => folds.get(row.source) === fold)
    return scoreRows(weights, [...left, ...augmentRows(left, seed)])
  }).flat()
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
