import { generatePayloads } from "../generators/payloads.ts"
import { decodeLinearModel } from "../models/linear-onnx.ts"
import { LinearPayloadClassifier } from "./linear-payload-classifier.ts"
import { checkParity } from "./onnx-parity.ts"
import { readModelFiles } from "./payload-model-files.ts"

/** Generated payloads on which a model must agree with ONNX Runtime before it serves. */
const PARITY_SET = { seed: 20_251, count: 1_000 } as const

export interface OpenedPayloadModel {
  readonly classifier: LinearPayloadClassifier
  /** model.onnx */
  readonly bytes: Uint8Array
}

/**
 * Loads a payload model from `models/payload-linear/<version>`: its digests, classes, feature
 * schema and normaliser must be those of this code, and its answers those of ONNX Runtime.
 *
 * @throws ModelRefusedError for anything that does not agree
 */
export async function loadPayloadClassifier(directory: string): Promise<LinearPayloadClassifier> {
  const opened = await openPayloadModel(directory)
  await checkPayloadModel(opened)
  return opened.classifier
}

/** The same without ONNX Runtime: a few milliseconds. @throws ModelRefusedError */
export async function openPayloadModel(directory: string): Promise<OpenedPayloadModel> {
  const { model, info } = await readModelFiles(directory)
  return { classifier: new LinearPayloadClassifier(decodeLinearModel(model), info), bytes: model }
}

/** @throws ModelRefusedError where ONNX Runtime gives other answers */
export async function checkPayloadModel({ classifier, bytes }: OpenedPayloadModel): Promise<void> {
  await checkParity(bytes, classifier, generatePayloads(PARITY_SET))
}
