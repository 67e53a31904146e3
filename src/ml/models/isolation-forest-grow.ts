import { Random } from "../random.ts"
import type { IsolationForest } from "./isolation-forest.ts"
import { averagePathLength } from "./isolation-forest.ts"

export interface ForestOptions {
  readonly trees: number
  /** Rows drawn without replacement for each tree. */
  readonly sampleSize: number
  readonly seed: number
  /** Per feature: the largest value it can take (the smallest is 0), and whether it is cut in log(1 + value). */
  readonly features: readonly { readonly max: number; readonly log: boolean }[]
}

/** Beyond the sample's range on each side, in parts of that range ... */
const MARGIN_OF_SAMPLE = 0.25
/** ... and at least this part of what the feature can take, so that a constant is cut too. */
const MARGIN_OF_RANGE = 0.08

/**
 * Grows a forest. The same rows and options give the same forest.
 *
 * Unlike the paper's, a cut is drawn from the sample's range widened on both sides: what lies
 * outside of everything seen in training then falls into an empty leaf and is isolated at once,
 * while the original puts it with the outermost training row.
 */
export function growIsolationForest(
  rows: readonly Float32Array[],
  options: ForestOptions,
): IsolationForest {
  const random = new Random(options.seed)
  const grower = new ForestGrower(random, options)
  for (let tree = 0; tree < options.trees; tree++) {
    grower.growTree(drawSample(rows, options.sampleSize, random))
  }
  return grower.finish()
}

function drawSample(rows: readonly Float32Array[], size: number, random: Random): Float32Array[] {
  const pool = [...rows]
  const sample: Float32Array[] = []
  while (sample.length < size && pool.length > 0) {
    const index = random.between(0, pool.length - 1)
    const drawn = pool[index]
    const last = pool.pop()
    if (drawn !== undefined) sample.push(drawn)
    if (last !== undefined && index < pool.length) pool[index] = last
  }
  return sample
}

class ForestGrower {
  readonly #random: Random
  readonly #options: ForestOptions
  readonly #depthMax: number
  readonly #roots: number[] = []
  readonly #feature: number[] = []
  readonly #threshold: number[] = []
  readonly #left: number[] = []
  readonly #right: number[] = []
  readonly #pathLength: number[] = []

  constructor(random: Random, options: ForestOptions) {
    this.#random = random
    this.#options = options
    this.#depthMax = Math.ceil(Math.log2(options.sampleSize))
  }

  growTree(sample: readonly Float32Array[]): void {
    this.#roots.push(this.#growNode(sample, 0))
  }

  finish(): IsolationForest {
    return {
      roots: Int32Array.from(this.#roots),
      feature: Int32Array.from(this.#feature),
      threshold: Float32Array.from(this.#threshold),
      left: Int32Array.from(this.#left),
      right: Int32Array.from(this.#right),
      pathLength: Float32Array.from(this.#pathLength),
      featureCount: this.#options.features.length,
      sampleSize: this.#options.sampleSize,
    }
  }

  #growNode(rows: readonly Float32Array[], depth: number): number {
    if (rows.length < 2 || depth >= this.#depthMax) return this.#leaf(rows.length, depth)
    const index = this.#random.between(0, this.#options.features.length - 1)
    const threshold = this.#drawThreshold(rows, index)
    const node = this.#node(index, threshold)
    const goesLeft = (row: Float32Array): boolean => (row[index] ?? 0) <= threshold
    this.#left[node] = this.#growNode(rows.filter(goesLeft), depth + 1)
    const others = rows.filter((row) => !goesLeft(row))
    this.#right[node] = this.#growNode(others, depth + 1)
    return node
  }

  #leaf(size: number, depth: number): number {
    const node = this.#node(-1, 0)
    this.#pathLength[node] = depth + averagePathLength(size)
    return node
  }

  #node(feature: number, threshold: number): number {
    this.#left.push(-1)
    this.#right.push(-1)
    this.#threshold.push(threshold)
    this.#pathLength.push(0)
    return this.#feature.push(feature) - 1
  }

  #drawThreshold(rows: readonly Float32Array[], index: number): number {
    const { max, log } = this.#options.features[index] ?? { max: 1, log: false }
    const scale = log ? Math.log1p : (value: number) => value
    let low = Number.POSITIVE_INFINITY
    let high = Number.NEGATIVE_INFINITY
    for (const row of rows) {
      const value = scale(row[index] ?? 0)
      if (value < low) low = value
      if (value > high) high = value
    }
    const margin = Math.max(MARGIN_OF_SAMPLE * (high - low), MARGIN_OF_RANGE * scale(max))
    const cut = this.#random.uniform(Math.max(0, low - margin), Math.min(scale(max), high + margin))
    return Math.fround(log ? Math.expm1(cut) : cut)
  }
}
