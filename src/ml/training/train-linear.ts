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
import { Random } from "../random.ts"
import { DENSE_COUNT } from "../text/dense-features.ts"
import { BUCKETS } from "../text/payload-features.ts"
import type { ExampleSet } from "./example-set.ts"

export interface LinearTrainingOptions {
  readonly seed: number
  /** Which examples to learn from; default all. */
  readonly examples?: Int32Array
  readonly epochs: number
  readonly learningRate: number
  /** Called after each epoch with the mean weighted loss. */
  readonly onEpoch?: (epoch: number, loss: number) => void
}

/** Adagrad's starting accumulator: bounds the first steps of a rare feature. */
const ACCUMULATOR_START = 0.1
/** An example whose class is this likely already has nothing more to teach. */
const LEARNT = 0.998
/** Of 256 buckets a step does not see so many, so that no attack hangs on a few of its n-grams. */
const HIDDEN_OF_256 = 77
/** Windows are chosen in every second epoch: in between, the choice would hardly change. */
const CHOICE_EPOCHS = 2

/**
 * Trains by stochastic gradient descent with Adagrad steps, one example at a time, in an order
 * drawn from the seed: the same examples and seed give the same weights, bit for bit. A feature's
 * classes share one accumulator, which makes a step one square root instead of CLASS_COUNT.
 *
 * Of a text with several windows only one is learnt from: the one that the model would judge it
 * by, which for an attack is the window most like its label, for a benign text the one most like
 * an attack (multiple-instance learning by the maximum, as in prediction). Of its buckets a random
 * share is left out each time (dropout), for what is learnt then holds on sources never seen. An
 * example that the model is sure of is not asked again.
 *
 * @see Duchi, Hazan, Singer 2011, "Adaptive Subgradient Methods"
 * @see Wager, Wang, Liang 2013, "Dropout Training as Adaptive Regularization"
 */
export function trainLinear(examples: ExampleSet, options: LinearTrainingOptions): LinearWeights {
  let order = options.examples?.slice() ?? Int32Array.from(examples.labels.keys())
  const classWeights = balancedClassWeights(order, examples.labels)
  const trainer = new LinearTrainer(examples, { ...options, classWeights })
  const random = new Random(options.seed)
  for (let epoch = 0; epoch < options.epochs; epoch++) {
    random.shuffle(order)
    if (epoch % CHOICE_EPOCHS === 0) trainer.forgetWindows()
    let loss = 0
    for (const example of order) loss += trainer.learn(example, random)
    options.onEpoch?.(epoch, loss / Math.max(1, order.length))
    order = order.filter((example) => !trainer.isSureOf(example))
  }
  return trainer.weights
}

/** A class counts by the square root of its rarity: between its frequency and full balance. */
function balancedClassWeights(order: Int32Array, labels: readonly number[]): readonly number[] {
  const counts = new Array<number>(CLASS_COUNT).fill(0)
  for (const example of order) {
    const label = labels[example] ?? 0
    counts[label] = (counts[label] ?? 0) + 1
  }
  const mean = order.length / CLASS_COUNT
  return counts.map((count) => Math.sqrt(mean / Math.max(1, count)))
}

interface TrainerOptions extends Pick<LinearTrainingOptions, "learningRate"> {
  /** By label: how much its examples count. */
  readonly classWeights: readonly number[]
}

const NOT_CHOSEN = -1

class LinearTrainer {
  readonly weights = zeroWeights()
  readonly #squares = {
    buckets: new Float32Array(BUCKETS).fill(ACCUMULATOR_START),
    dense: new Float32Array(DENSE_COUNT).fill(ACCUMULATOR_START),
    bias: new Float32Array(1).fill(ACCUMULATOR_START),
  }
  readonly #examples: ExampleSet
  readonly #options: TrainerOptions
  readonly #chosen: Int32Array
  readonly #sure: Uint8Array
  readonly #logits = new Float64Array(CLASS_COUNT)
  readonly #gradient = new Float64Array(CLASS_COUNT)
  readonly #seen = new Uint16Array(BUCKETS)

  constructor(examples: ExampleSet, options: TrainerOptions) {
    this.#examples = examples
    this.#options = options
    this.#chosen = new Int32Array(examples.size).fill(NOT_CHOSEN)
    this.#sure = new Uint8Array(examples.size)
  }

  forgetWindows(): void {
    this.#chosen.fill(NOT_CHOSEN)
  }

  isSureOf(example: number): boolean {
    return this.#sure[example] === 1
  }

  /** One step for one example. @returns its weighted loss before the step */
  learn(example: number, random: Random): number {
    const known = this.#chosen[example] ?? NOT_CHOSEN
    const window = known === NOT_CHOSEN ? this.#chooseWindow(example) : known
    this.#chosen[example] = window
    const label = this.#examples.labels[example] ?? 0
    const weight = this.#options.classWeights[label] ?? 1
    const row = this.#thin(this.#examples.row(window), random)
    computeLogits(this.weights, row, this.#logits)
    softmax(this.#logits, 1, this.#gradient)
    const likelihood = this.#gradient[label] ?? 0
    if (likelihood > LEARNT) this.#sure[example] = 1
    else this.#step(row, label, weight)
    return -Math.log(Math.max(likelihood, 1e-12)) * weight
  }

  #chooseWindow(example: number): number {
    const { from, to } = this.#examples.windowsOf(example)
    if (to - from < 2) return from
    const label = this.#examples.labels[example] ?? 0
    let [chosen, largest] = [from, Number.NEGATIVE_INFINITY]
    for (let window = from; window < to; window++) {
      computeLogits(this.weights, this.#examples.row(window), this.#logits)
      const margin = attackMargin(this.#logits, label)
      if (margin > largest) [chosen, largest] = [window, margin]
    }
    return chosen
  }

  /** The row without a random share of its buckets, four of them for each draw; valid until the next call. */
  #thin(row: SparseRow, random: Random): SparseRow {
    const { buckets, bucketsFrom, bucketsTo } = row
    const seen = this.#seen
    let count = 0
    for (let i = bucketsFrom; i < bucketsTo; ) {
      let bits = random.bits()
      for (const end = Math.min(i + 4, bucketsTo); i < end; i++) {
        seen[count] = buckets[i] as number
        // the sign bit and no branch: it is set where the byte is not below the bound
        count += (HIDDEN_OF_256 - 1 - (bits & 0xff)) >>> 31
        bits >>>= 8
      }
    }
    return { ...row, buckets: seen, bucketsFrom: 0, bucketsTo: count }
  }

  /** Down the gradient of the cross entropy, from the probabilities in `#gradient`. */
  #step(row: SparseRow, label: number, weight: number): void {
    const gradient = this.#gradient
    let norm = 0
    for (let c = 0; c < CLASS_COUNT; c++) {
      const slope = ((gradient[c] ?? 0) - (c === label ? 1 : 0)) * weight
      gradient[c] = slope
      norm += slope * slope
    }
    this.#stepBuckets(row, norm)
    this.#stepDense(row, norm)
    this.#descend({ weights: this.weights.bias, squares: this.#squares.bias }, 0, {
      value: 1,
      norm,
    })
  }

  #stepBuckets({ buckets, bucketsFrom, bucketsTo }: SparseRow, norm: number): void {
    const { buckets: weights } = this.weights
    const { buckets: squares } = this.#squares
    const scale = bucketScale(bucketsTo - bucketsFrom)
    const added = norm * scale * scale
    const step = this.#options.learningRate * scale
    const [g0 = 0, g1 = 0, g2 = 0, g3 = 0, g4 = 0, g5 = 0] = this.#gradient
    for (let i = bucketsFrom; i < bucketsTo; i++) {
      const bucket = buckets[i] ?? 0
      const square = (squares[bucket] ?? 0) + added
      squares[bucket] = square
      const rate = step / Math.sqrt(square)
      const at = bucket * CLASS_COUNT
      weights[at] = (weights[at] ?? 0) - rate * g0
      weights[at + 1] = (weights[at + 1] ?? 0) - rate * g1
      weights[at + 2] = (weights[at + 2] ?? 0) - rate * g2
      weights[at + 3] = (weights[at + 3] ?? 0) - rate * g3
      weights[at + 4] = (weights[at + 4] ?? 0) - rate * g4
      weights[at + 5] = (weights[at + 5] ?? 0) - rate * g5
    }
  }

  #stepDense({ dense, denseFrom }: SparseRow, norm: number): void {
    const part = { weights: this.weights.dense, squares: this.#squares.dense }
    for (let feature = 0; feature < DENSE_COUNT; feature++) {
      const value = dense[denseFrom + feature] ?? 0
      if (value !== 0) this.#descend(part, feature, { value, norm })
    }
  }

  /** Adagrad over the CLASS_COUNT weights of one feature with the given value. */
  #descend({ weights, squares }: Part, feature: number, { value, norm }: Slope): void {
    const square = (squares[feature] ?? 0) + norm * value * value
    squares[feature] = square
    const rate = (this.#options.learningRate * value) / Math.sqrt(square)
    const at = feature * CLASS_COUNT
    for (let c = 0; c < CLASS_COUNT; c++) {
      weights[at + c] = (weights[at + c] ?? 0) - rate * (this.#gradient[c] ?? 0)
    }
  }
}

interface Part {
  readonly weights: Float32Array
  readonly squares: Float32Array
}

interface Slope {
  readonly value: number
  /** Squared length of the gradient over the classes. */
  readonly norm: number
}
