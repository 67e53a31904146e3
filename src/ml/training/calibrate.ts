import { CLASS_COUNT, softmax } from "../models/linear-softmax.ts"

/** What a model said of an example that it was not trained on. */
export interface ScoredExample {
  /** [CLASS_COUNT] */
  readonly logits: Float64Array
  readonly label: number
}

const LOG_TEMPERATURE_MIN = -2
const LOG_TEMPERATURE_MAX = 3
const ITERATIONS = 40
const GOLDEN = (Math.sqrt(5) - 1) / 2

/**
 * The temperature by which logits must be divided for the probabilities to fit the labels best
 * (least cross entropy), by golden-section search.
 *
 * @see Guo, Pleiss, Sun, Weinberger 2017, "On Calibration of Modern Neural Networks"
 */
export function fitTemperature(examples: readonly ScoredExample[]): number {
  if (examples.length === 0) return 1
  let [low, high] = [LOG_TEMPERATURE_MIN, LOG_TEMPERATURE_MAX]
  for (let i = 0; i < ITERATIONS; i++) {
    const span = (high - low) * GOLDEN
    const [left, right] = [high - span, low + span]
    if (crossEntropy(examples, Math.exp(left)) < crossEntropy(examples, Math.exp(right))) {
      high = right
    } else {
      low = left
    }
  }
  return Math.exp((low + high) / 2)
}

function crossEntropy(examples: readonly ScoredExample[], temperature: number): number {
  const probabilities = new Float64Array(CLASS_COUNT)
  let total = 0
  for (const { logits, label } of examples) {
    softmax(logits, temperature, probabilities)
    total -= Math.log(Math.max(probabilities[label] ?? 0, 1e-12))
  }
  return total / examples.length
}
