import { setImmediate } from "node:timers/promises"
import { ModelRefusedError } from "../../errors.ts"
import type { PayloadInput } from "../../ports.ts"
import { bucketScale, CLASS_COUNT } from "../models/linear-softmax.ts"
import { type OnnxSession, type OnnxTensor, openOnnxSession } from "../onnx/session.ts"
import { DENSE_COUNT } from "../text/dense-features.ts"
import { Normalizer } from "../text/normalize.ts"
import { PayloadFeatures } from "../text/payload-features.ts"
import { windowAt, windowCount } from "../text/windows.ts"
import type { LinearPayloadClassifier } from "./linear-payload-classifier.ts"

/** Largest difference of a probability that is still called the same. */
export const PARITY_TOLERANCE = 1e-6
/** Judged before others get their turn: a millisecond or two of work, half of it in ONNX Runtime. */
const BATCH = 16

/**
 * Compares the plain evaluator with ONNX Runtime on the first window of each text.
 *
 * @returns the largest difference of any probability
 * @throws ModelRefusedError where it exceeds PARITY_TOLERANCE
 */
export async function checkParity(
  model: Uint8Array,
  classifier: LinearPayloadClassifier,
  inputs: Iterable<PayloadInput>,
): Promise<number> {
  const session = await openOnnxSession(model)
  let largest = 0
  try {
    for (const batch of batches(inputs)) {
      largest = Math.max(largest, await batchDifference(session, classifier, batch))
      // ONNX Runtime holds the event loop while it runs: requests get their turn in between
      await setImmediate()
    }
  } finally {
    await session.release()
  }
  if (largest > PARITY_TOLERANCE) {
    throw new ModelRefusedError("ONNX Runtime and the plain evaluator disagree")
  }
  return largest
}

function* batches(inputs: Iterable<PayloadInput>): Generator<readonly PayloadInput[]> {
  let batch: PayloadInput[] = []
  for (const input of inputs) {
    batch.push(input)
    if (batch.length < BATCH) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}

async function batchDifference(
  session: OnnxSession,
  classifier: LinearPayloadClassifier,
  inputs: readonly PayloadInput[],
): Promise<number> {
  const { probabilities } = await session.run(feedsOf(inputs))
  if (probabilities === undefined) throw new ModelRefusedError("no output named probabilities")
  let largest = 0
  for (const [row, input] of inputs.entries()) {
    const own = classifier.firstWindowProbabilities(input)
    for (let c = 0; c < CLASS_COUNT; c++) {
      const reference = Number(probabilities.data[row * CLASS_COUNT + c])
      const difference = Math.abs((own[c] ?? 0) - reference)
      // Not a number must count as a difference.
      largest = difference <= largest ? largest : Number.isNaN(difference) ? 1 : difference
    }
  }
  return largest
}

/** One batch as the graph wants it: all rows' buckets one after the other. */
function feedsOf(inputs: readonly PayloadInput[]): Record<string, OnnxTensor> {
  const normalizer = new Normalizer()
  const features = new PayloadFeatures()
  const buckets: bigint[] = []
  const rows: bigint[] = []
  const scale = new Float32Array(inputs.length)
  const logWindows = new Float32Array(inputs.length)
  const dense = new Float32Array(inputs.length * DENSE_COUNT)
  for (const [row, { text, kind }] of inputs.entries()) {
    const normalized = normalizer.normalize(text)
    const window = windowAt(normalized.length, 0)
    features.compute(normalized, { ...window, undone: normalizer.undone, kind })
    for (let i = 0; i < features.bucketCount; i++) {
      buckets.push(BigInt(features.buckets[i] ?? 0))
      rows.push(BigInt(row))
    }
    logWindows[row] = Math.log(windowCount(normalized.length))
    scale[row] = bucketScale(features.bucketCount)
    dense.set(features.dense.values, row * DENSE_COUNT)
  }
  const n = buckets.length
  return {
    buckets: { type: "int64", dims: [n], data: BigInt64Array.from(buckets) },
    rows: { type: "int64", dims: [n, 1], data: BigInt64Array.from(rows) },
    scale: { type: "float32", dims: [inputs.length, 1], data: scale },
    dense: { type: "float32", dims: [inputs.length, DENSE_COUNT], data: dense },
    log_windows: { type: "float32", dims: [inputs.length, 1], data: logWindows },
  }
}
