import { Random } from "../generators/random.ts"
import {
  attackMargin,
  bucketScale,
  CLASS_COUNT,
  computeLogits,
  type LinearWeights,
  type SparseRow,
  softmax,
  zeroWeights,
} from "../models/linear-softmax.ts"
import { DENSE_COUNT } from "../text/dense-features.ts"
import type { ExampleSet } from "./example-set.ts"

export interface LinearTrainingOptions {
  readonly seed: number
  readonly epochs: number
  readonly learningRate: number
  /** Called after each epoch with the mean weighted loss. */
  readonly onEpoch?: (epoch: number, loss: number) => void
}

/** Adagrad's starting accumulator: bounds the first steps of a rare feature. */
const ACCUMULATOR_START = 0.1

/**
 * Trains by stochastic gradient descent with Adagrad steps, one example at a time, in an order
 * drawn from the seed: the same examples and seed give the same weights, bit for bit.
 *
 * Of a text with several windows only one is learnt from: the one that the model would judge it
 * by, which for an attack is the window most like its label, for a benign text the one most like
 * an attack (multiple-instance learning by the maximum, as in prediction).
 *
 * @see Duchi, Hazan, Singer 2011, "Adaptive Subgradient Methods"
 */
export function trainLinear(examples: ExampleSet, options: LinearTrainingOptions): LinearWeights {
  const trainer = new LinearTrainer(options.learningRate)
  const random = new Random(options.seed)
  const classWeights = balancedClassWeights(examples.labels)
  const order = Int32Array.from({ length: examples.size }, (_, index) => index)
  for (let epoch = 0; epoch < options.epochs; epoch++) {
    random.shuffle(order)
    let loss = 0
    for (const example of order) {
      const label = examples.labels[example] ?? 0
      const row = examples.row(trainer.chooseWindow(examples, example))
      loss += trainer.step(row, label, classWeights[label] ?? 1)
    }
    options.onEpoch?.(epoch, loss / Math.max(1, examples.size))
  }
  return trainer.weights
}

/** A class counts by the square root of its rarity: between its frequency and full balance. */
function balancedClassWeights(labels: readonly number[]): readonly number[] {
  const counts = new Array<number>(CLASS_COUNT).fill(0)
  for (const label of labels) counts[label] = (counts[label] ?? 0) + 1
  const mean = labels.length / CLASS_COUNT
  return counts.map((count) => Math.sqrt(mean / Math.max(1, count)))
}

class LinearTrainer {
  readonly weights = zeroWeights()
  readonly #squares = zeroWeights()
  readonly #learningRate: number
  readonly #logits = new Float64Array(CLASS_COUNT)
  readonly #gradient = new Float64Array(CLASS_COUNT)

  constructor(learningRate: number) {
    this.#learningRate = learningRate
    for (const part of Object.values(this.#squares)) part.fill(ACCUMULATOR_START)
  }

  chooseWindow(examples: ExampleSet, example: number): number {
    const { from, to } = examples.windowsOf(example)
    if (to - from < 2) return from
    const label = examples.labels[example] ?? 0
    let [chosen, largest] = [from, Number.NEGATIVE_INFINITY]
    for (let window = from; window < to; window++) {
      computeLogits(this.weights, examples.row(window), this.#logits)
      const margin = attackMargin(this.#logits, label)
      if (margin > largest) [chosen, largest] = [window, margin]
    }
    return chosen
  }

  /** One step down the gradient of the cross entropy. @returns the weighted loss before it */
  step(row: SparseRow, label: number, weight: number): number {
    const gradient = this.#gradient
    computeLogits(this.weights, row, this.#logits)
    softmax(this.#logits, 1, gradient)
    const loss = -Math.log(Math.max(gradient[label] ?? 0, 1e-12)) * weight
    for (let c = 0; c < CLASS_COUNT; c++) {
      gradient[c] = ((gradient[c] ?? 0) - (c === label ? 1 : 0)) * weight
    }
    this.#stepBuckets(row)
    this.#stepDense(row)
    this.#descend({ weights: this.weights.bias, squares: this.#squares.bias, at: 0 }, 1)
    return loss
  }

  #stepBuckets({ buckets, bucketsFrom, bucketsTo }: SparseRow): void {
    const part = { weights: this.weights.buckets, squares: this.#squares.buckets, at: 0 }
    const scale = bucketScale(bucketsTo - bucketsFrom)
    for (let i = bucketsFrom; i < bucketsTo; i++) {
      part.at = (buckets[i] ?? 0) * CLASS_COUNT
      this.#descend(part, scale)
    }
  }

  #stepDense({ dense, denseFrom }: SparseRow): void {
    const part = { weights: this.weights.dense, squares: this.#squares.dense, at: 0 }
    for (let feature = 0; feature < DENSE_COUNT; feature++) {
      const value = dense[denseFrom + feature] ?? 0
      if (value === 0) continue
      part.at = feature * CLASS_COUNT
      this.#descend(part, value)
    }
  }

  /** Adagrad over the CLASS_COUNT weights of one feature with the given value. */
  #descend({ weights, squares, at }: Part, value: number): void {
    const rate = this.#learningRate
    for (let c = 0; c < CLASS_COUNT; c++) {
      const slope = (this.#gradient[c] ?? 0) * value
      const square = (squares[at + c] ?? 0) + slope * slope
      squares[at + c] = square
      weights[at + c] = (weights[at + c] ?? 0) - (rate * slope) / Math.sqrt(square)
    }
  }
}

interface Part {
  readonly weights: Float32Array
  readonly squares: Float32Array
  at: number
}
