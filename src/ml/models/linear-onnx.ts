import { ModelRefusedError } from "../../errors.ts"
import { PAYLOAD_CLASSES } from "../../events.ts"
import { decodeOnnx } from "../onnx/decode.ts"
import { encodeOnnx } from "../onnx/encode.ts"
import type { OnnxGraph, OnnxInitializer, OnnxNode, OnnxValue } from "../onnx/graph.ts"
import { DENSE_COUNT } from "../text/dense-features.ts"
import { BUCKETS, FEATURE_SCHEMA } from "../text/payload-features.ts"
import type { AttackCalibration } from "./attack-calibration.ts"
import { BENIGN, CLASS_COUNT, type LinearWeights } from "./linear-softmax.ts"

/** The whole model: what the ONNX file says, nothing else. */
export interface LinearModel {
  readonly weights: LinearWeights
  /** Log-odds of attack as the weights have it -> calibrated; fitted on sources left out. */
  readonly calibration: AttackCalibration
  /** P(attack) by the share of benign texts that may exceed it, e.g. "0.001"; chosen on validate. */
  readonly thresholds: Readonly<Record<string, number>>
  /** P(attack) at and above which a payload is certain to be an attack. */
  readonly certainThreshold: number
  readonly provenance: ModelProvenance
}

/** What the model was made from; equal provenance and code give equal bytes. */
export interface ModelProvenance {
  readonly seed: number
  /** sha256 over the training examples in their order. */
  readonly trainingDataSha256: string
  readonly trainingSamples: number
  readonly validationSamples: number
}

const OPSET = 18
/** Bound of TensorProto.DataType FLOAT, the target of the cast from half precision. */
const FLOAT = 1

/** sha256 (hex) of the feature schema: a model made for another one is refused. */
export function featureSchemaSha256(): string {
  return new Bun.CryptoHasher("sha256").update(JSON.stringify(FEATURE_SCHEMA)).digest("hex")
}

/** Rounds weights to half precision, as the file stores them: evaluate what will be shipped. */
export function roundToHalf(weights: LinearWeights): LinearWeights {
  return {
    buckets: Float32Array.from(Float16Array.from(weights.buckets)),
    dense: weights.dense,
    bias: weights.bias,
  }
}

/**
 * The model as an ONNX file.
 *
 * In: `buckets` int64 [n], the distinct buckets of all rows one after the other; `rows` int64
 * [n, 1], the row of each; `scale` float [batch, 1]; `dense` float [batch, DENSE_COUNT];
 * `log_windows` float [batch, 1], the logarithm of how many windows the row is the worst of.
 * Out: `probabilities` float [batch, CLASS_COUNT], calibrated, each row summing to 1.
 */
export function encodeLinearModel(model: LinearModel): Uint8Array {
  return encodeOnnx({
    name: "payload_linear",
    opset: OPSET,
    nodes: NODES,
    initializers: [
      {
        name: "bucket_weights_half",
        dims: [BUCKETS, CLASS_COUNT],
        data: Float16Array.from(model.weights.buckets),
      },
      { name: "dense_weights", dims: [DENSE_COUNT, CLASS_COUNT], data: model.weights.dense },
      { name: "bias", dims: [CLASS_COUNT], data: model.weights.bias },
      { name: "zero_row", dims: [1, CLASS_COUNT], data: new Float32Array(CLASS_COUNT) },
      ...calibrationInitializers(model.calibration),
    ],
    inputs: INPUTS,
    outputs: [{ name: "probabilities", type: "float", dims: ["batch", CLASS_COUNT] }],
    metadata: metadataOf(model),
  })
}

function calibrationInitializers(calibration: AttackCalibration): readonly OnnxInitializer[] {
  const { windowPenalty, offset, slope, knots, changes } = calibration
  const count = knots.length
  const integers = (values: readonly number[]) => BigInt64Array.from(values, BigInt)
  return [
    { name: "window_penalty", dims: [1], data: Float32Array.of(windowPenalty) },
    { name: "offset", dims: [1], data: Float32Array.of(offset) },
    { name: "slope", dims: [1], data: Float32Array.of(slope) },
    { name: "knots", dims: [1, count], data: knots },
    { name: "slope_changes", dims: [count, 1], data: changes },
    { name: "class_axis", dims: [1], data: integers([1]) },
    { name: "attacks", dims: [BENIGN], data: integers([...Array(BENIGN).keys()]) },
    { name: "benign", dims: [1], data: integers([BENIGN]) },
    { name: "zero", dims: [1], data: Float32Array.of(0) },
  ]
}

// A flat gather with a scattered sum: rows of different length need no padding.
const AXIS = { axis: { int: 1 } } as const
const NODES: readonly OnnxNode[] = [
  {
    opType: "Cast",
    inputs: ["bucket_weights_half"],
    outputs: ["bucket_weights"],
    attributes: { to: { int: FLOAT } },
  },
  { opType: "Gather", inputs: ["bucket_weights", "buckets"], outputs: ["gathered"] },
  { opType: "Mul", inputs: ["scale", "zero_row"], outputs: ["zeros"] },
  {
    opType: "ScatterND",
    inputs: ["zeros", "rows", "gathered"],
    outputs: ["sums"],
    attributes: { reduction: { string: "add" } },
  },
  { opType: "Mul", inputs: ["sums", "scale"], outputs: ["sparse_logits"] },
  { opType: "Gemm", inputs: ["dense", "dense_weights", "bias"], outputs: ["dense_logits"] },
  { opType: "Add", inputs: ["sparse_logits", "dense_logits"], outputs: ["logits"] },
  // How much all attacks together weigh against benign.
  { opType: "Gather", inputs: ["logits", "attacks"], outputs: ["attack_logits"], attributes: AXIS },
  { opType: "Gather", inputs: ["logits", "benign"], outputs: ["benign_logit"], attributes: AXIS },
  {
    opType: "ReduceLogSumExp",
    inputs: ["attack_logits", "class_axis"],
    outputs: ["any_attack"],
    attributes: { keepdims: { int: 1 } },
  },
  { opType: "Sub", inputs: ["any_attack", "benign_logit"], outputs: ["margin"] },
  // The margin through the pieces of the calibration.
  { opType: "Mul", inputs: ["log_windows", "window_penalty"], outputs: ["penalty"] },
  { opType: "Sub", inputs: ["margin", "penalty"], outputs: ["x"] },
  { opType: "Sub", inputs: ["x", "knots"], outputs: ["beyond_knots"] },
  { opType: "Relu", inputs: ["beyond_knots"], outputs: ["beyond"] },
  { opType: "MatMul", inputs: ["beyond", "slope_changes"], outputs: ["bends"] },
  { opType: "Mul", inputs: ["x", "slope"], outputs: ["line"] },
  { opType: "Add", inputs: ["line", "offset"], outputs: ["straight"] },
  { opType: "Add", inputs: ["straight", "bends"], outputs: ["log_odds"] },
  // Shared among the attacks as before, against a benign logit of 0.
  { opType: "Sub", inputs: ["attack_logits", "any_attack"], outputs: ["shares"] },
  { opType: "Add", inputs: ["shares", "log_odds"], outputs: ["attack_calibrated"] },
  { opType: "Mul", inputs: ["benign_logit", "zero"], outputs: ["benign_calibrated"] },
  {
    opType: "Concat",
    inputs: ["attack_calibrated", "benign_calibrated"],
    outputs: ["calibrated"],
    attributes: AXIS,
  },
  {
    opType: "Softmax",
    inputs: ["calibrated"],
    outputs: ["probabilities"],
    attributes: { axis: { int: -1 } },
  },
]

const INPUTS: readonly OnnxValue[] = [
  { name: "buckets", type: "int64", dims: ["n"] },
  { name: "rows", type: "int64", dims: ["n", 1] },
  { name: "scale", type: "float", dims: ["batch", 1] },
  { name: "dense", type: "float", dims: ["batch", DENSE_COUNT] },
  { name: "log_windows", type: "float", dims: ["batch", 1] },
]

function metadataOf({ certainThreshold, thresholds, provenance, calibration }: LinearModel) {
  return {
    classes: PAYLOAD_CLASSES.join(","),
    feature_schema_sha256: featureSchemaSha256(),
    hash_seed: String(FEATURE_SCHEMA.hashSeed),
    normalizer_version: String(FEATURE_SCHEMA.normalizer),
    calibration: `monotone, ${calibration.knots.length} knots, in log-odds`,
    thresholds: JSON.stringify(thresholds),
    certain_threshold: String(certainThreshold),
    seed: String(provenance.seed),
    training_data_sha256: provenance.trainingDataSha256,
    training_samples: String(provenance.trainingSamples),
    validation_samples: String(provenance.validationSamples),
  }
}

/**
 * Reads a model back from its ONNX file.
 *
 * @throws ModelRefusedError if the file was made for other classes, features, or another
 *   normaliser, or does not hold what a linear payload model holds
 */
export function decodeLinearModel(bytes: Uint8Array): LinearModel {
  const graph = decodeOnnx(bytes)
  requireMetadata(graph, "classes", PAYLOAD_CLASSES.join(","))
  requireMetadata(graph, "feature_schema_sha256", featureSchemaSha256())
  requireMetadata(graph, "normalizer_version", String(FEATURE_SCHEMA.normalizer))
  requireMetadata(graph, "hash_seed", String(FEATURE_SCHEMA.hashSeed))
  return {
    weights: {
      buckets: floats(graph, "bucket_weights_half", BUCKETS * CLASS_COUNT),
      dense: floats(graph, "dense_weights", DENSE_COUNT * CLASS_COUNT),
      bias: floats(graph, "bias", CLASS_COUNT),
    },
    calibration: calibrationOf(graph),
    thresholds: thresholdsOf(graph),
    certainThreshold: numberOf(graph, "certain_threshold"),
    provenance: {
      seed: numberOf(graph, "seed"),
      trainingDataSha256: graph.metadata.training_data_sha256 ?? "",
      trainingSamples: numberOf(graph, "training_samples"),
      validationSamples: numberOf(graph, "validation_samples"),
    },
  }
}

function requireMetadata(graph: OnnxGraph, key: string, expected: string): void {
  if (graph.metadata[key] !== expected) throw new ModelRefusedError(`${key} differs from this code`)
}

function numberOf(graph: OnnxGraph, key: string): number {
  const value = Number(graph.metadata[key])
  if (!Number.isFinite(value)) throw new ModelRefusedError(`${key} is not a number`)
  return value
}

function calibrationOf(graph: OnnxGraph): AttackCalibration {
  const count = graph.initializers.find(({ name }) => name === "knots")?.dims[1] ?? 0
  return {
    windowPenalty: floats(graph, "window_penalty", 1)[0] ?? 0,
    offset: floats(graph, "offset", 1)[0] ?? 0,
    slope: floats(graph, "slope", 1)[0] ?? 0,
    knots: floats(graph, "knots", count),
    changes: floats(graph, "slope_changes", count),
  }
}

function thresholdsOf(graph: OnnxGraph): Readonly<Record<string, number>> {
  try {
    const value: unknown = JSON.parse(graph.metadata.thresholds ?? "{}")
    const entries = Object.entries(value as Record<string, unknown>)
    if (entries.every(([, threshold]) => typeof threshold === "number")) {
      return Object.fromEntries(entries) as Record<string, number>
    }
  } catch {
    // Refused below: the parser's message would tell nothing more.
  }
  throw new ModelRefusedError("thresholds are not numbers by rate")
}

/** The initializer as single precision; all its values must be finite. */
function floats(graph: OnnxGraph, name: string, length: number): Float32Array {
  const data = graph.initializers.find((tensor) => tensor.name === name)?.data
  if (!(data instanceof Float32Array || data instanceof Float16Array) || data.length !== length) {
    throw new ModelRefusedError(`${name} is missing or of another shape`)
  }
  const values = new Float32Array(data)
  // a loop: `every` takes fifty times as long over so many, while others wait to be answered
  for (let index = 0; index < length; index++) {
    if (!Number.isFinite(values[index])) throw new ModelRefusedError(`${name} is not finite`)
  }
  return values
}
