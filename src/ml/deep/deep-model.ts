import { ModelRefusedError } from "../../errors.ts"
import { PAYLOAD_CLASSES } from "../../events.ts"
import { decodeOnnx } from "../onnx/decode.ts"
import { encodeOnnx } from "../onnx/encode.ts"
import { NORMALIZER_VERSION } from "../text/normalize.ts"
import { WINDOW_BYTES } from "../text/payload-features.ts"
import type { TransformerShape } from "./byte-transformer.ts"
import { inferenceGraph } from "./graphs.ts"
import { GRAM_SCHEMA } from "./text-batch.ts"

/** What a model was made from; equal provenance, code and runtime give equal bytes. */
export interface DeepProvenance {
  readonly seed: number
  /** sha256 over the training examples in their order. */
  readonly trainingDataSha256: string
  readonly trainingSamples: number
}

export interface DeepModel {
  readonly shape: TransformerShape
  /** In the order of `transformerParameters`. */
  readonly parameters: Float32Array
  /** The logits are divided by it. */
  readonly temperature: number
  readonly provenance: DeepProvenance
}

/** What a file must agree with to be used here. */
const SCHEMA: Readonly<Record<string, string>> = {
  classes: PAYLOAD_CLASSES.join(","),
  normalizer_version: String(NORMALIZER_VERSION),
  window_bytes: String(WINDOW_BYTES),
  gram_schema: GRAM_SCHEMA,
}

/** How the calibration is written, before its number. */
const CALIBRATION = "temperature "

/** The model as an ONNX file; the same model gives the same bytes. */
export function encodeDeepModel(model: DeepModel): Uint8Array {
  const { provenance, ...weights } = model
  const metadata = {
    ...SCHEMA,
    calibration: `${CALIBRATION}${model.temperature}`,
    seed: String(provenance.seed),
    training_data_sha256: provenance.trainingDataSha256,
    training_samples: String(provenance.trainingSamples),
  }
  return encodeOnnx(inferenceGraph({ ...weights, metadata }))
}

/** @throws ModelRefusedError for a file made for other classes, bytes or grams than this code's */
export function requireDeepModel(bytes: Uint8Array): void {
  const { metadata } = decodeOnnx(bytes)
  for (const [key, value] of Object.entries(SCHEMA)) {
    if (metadata[key] !== value) throw new ModelRefusedError(`${key} is not that of this code`)
  }
}

/** By which the logits are divided. @throws ModelRefusedError where the file says none */
export function temperatureOf(bytes: Uint8Array): number {
  const { calibration = "" } = decodeOnnx(bytes).metadata
  const temperature = calibration.startsWith(CALIBRATION)
    ? Number(calibration.slice(CALIBRATION.length))
    : Number.NaN
  if (temperature > 0 && Number.isFinite(temperature)) return temperature
  throw new ModelRefusedError("it is not calibrated")
}
