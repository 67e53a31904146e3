import { PAYLOAD_CLASSES } from "../../events.ts"
import type { LabelledPayload } from "../evaluation/labelled-payloads.ts"
import type { AttackCalibration } from "../models/attack-calibration.ts"
import { roundToHalf } from "../models/linear-onnx.ts"
import type { LinearWeights } from "../models/linear-softmax.ts"
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
/** Share of benign texts among what the calibrated probabilities are meant for. */
const BENIGN_PRIOR = 0.8

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
  const rows = learntRows(parts)
  const weights = roundToHalf(trainRows(rows, parts.seed, progress))
  progress("calibrating on sources left out")
  return { weights, rows, calibration: fitCalibration(weigh(scoreHeldOut(parts))) }
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
  const other = PAYLOAD_CLASSES.indexOf("other_attack")
  weights.bias[other] = (weights.bias[other] ?? 0) - OTHER_PENALTY
  return weights
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
