import { generatePayloads } from "../generators/payloads.ts"
import { decodeLinearModel } from "../models/linear-onnx.ts"
import { LinearPayloadClassifier } from "./linear-payload-classifier.ts"
import { checkParity } from "./onnx-parity.ts"
import { readModelFiles } from "./payload-model-files.ts"

/** Generated payloads on which a model must agree with ONNX Runtime before it serves. */
const PARITY_SET = { seed: 20_251, count: 1_000 } as const

/**
 * Loads a payload model from `models/payload-linear/<version>`: its digests, classes, feature
 * schema and normaliser must be those of this code, and its answers those of ONNX Runtime.
 *
 * @throws ModelRefusedError for anything that does not agree
 */
export async function loadPayloadClassifier(directory: string): Promise<LinearPayloadClassifier> {
  const { model, info } = await readModelFiles(directory)
  const classifier = new LinearPayloadClassifier(decodeLinearModel(model), info)
  await checkParity(model, classifier, generatePayloads(PARITY_SET))
  return classifier
}
