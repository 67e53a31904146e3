import type { VectorPair } from "./attributable-scorer.ts"
import type { IsolationForest } from "./isolation-forest.ts"

/** Features that one walk can tell apart: the depth of a tree bounds it. */
const SPLITS_MAX = 32

/** WEIGHTS[u][v] = u! v! / (u + v + 1)!: the Shapley weight of a coalition that a leaf needs. */
const WEIGHTS = shapleyWeights()

function shapleyWeights(): Float64Array[] {
  const factorial = [1]
  for (let n = 1; n <= 2 * SPLITS_MAX + 1; n++) factorial.push((factorial[n - 1] ?? 1) * n)
  const of = (n: number): number => factorial[n] ?? 1
  const row = (u: number): Float64Array =>
    Float64Array.from({ length: SPLITS_MAX + 1 }, (_, v) => (of(u) * of(v)) / of(u + v + 1))
  return Array.from({ length: SPLITS_MAX + 1 }, (_, u) => row(u))
}

const UNDECIDED = 0
const BY_VECTOR = 1
const BY_REFERENCE = 2

/**
 * Exact interventional Shapley values of the mean path length, one vector against one reference.
 *
 * A leaf is reached by a coalition that takes some features from the vector and some from the
 * reference; one walk over the branches where the two part collects all of them. Instances are
 * for one caller at a time.
 *
 * @see Lundberg et al.: From local explanations to global understanding with explainable AI for
 *   trees. Nature Machine Intelligence 2, 2020 (interventional TreeSHAP).
 */
export class ForestShapley {
  readonly #forest: IsolationForest
  readonly #decided: Uint8Array
  #vector: Float32Array = new Float32Array()
  #reference: Float32Array = new Float32Array()
  #values: Float64Array = new Float64Array()
  // What the last walk returns: the credit of a feature taken from the vector / the reference.
  #fromVector = 0
  #fromReference = 0

  constructor(forest: IsolationForest) {
    this.#forest = forest
    this.#decided = new Uint8Array(forest.featureCount)
  }

  /** Overwrites `values` (length `featureCount`); they sum to the difference of the path lengths. */
  attribute({ vector, reference }: VectorPair, values: Float64Array): void {
    this.#vector = vector
    this.#reference = reference
    this.#values = values.fill(0)
    const { roots } = this.#forest
    for (let tree = 0; tree < roots.length; tree++) this.#walk(roots[tree] as number, 0, 0)
    for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) / roots.length
  }

  #walk(start: number, vectorCount: number, referenceCount: number): void {
    const { feature, threshold, left, right } = this.#forest
    let node = start
    for (;;) {
      const index = feature[node] as number
      if (index < 0) {
        this.#leaf(node, vectorCount, referenceCount)
        return
      }
      const cut = threshold[node] as number
      const vectorLeft = (this.#vector[index] as number) <= cut
      const referenceLeft = (this.#reference[index] as number) <= cut
      const decided = this.#decided[index] as number
      if (vectorLeft !== referenceLeft && decided === UNDECIDED) break
      const goesLeft = decided === BY_REFERENCE ? referenceLeft : vectorLeft
      node = (goesLeft ? left[node] : right[node]) as number
    }
    this.#part(node, vectorCount, referenceCount)
  }

  /** Vector and reference part here: both branches are walked, and the feature gets its credit. */
  #part(node: number, vectorCount: number, referenceCount: number): void {
    const { feature, threshold, left, right } = this.#forest
    const index = feature[node] as number
    const vectorLeft = (this.#vector[index] as number) <= (threshold[node] as number)
    this.#decided[index] = BY_VECTOR
    this.#walk((vectorLeft ? left : right)[node] as number, vectorCount + 1, referenceCount)
    const vectorGain = this.#fromVector
    const vectorLoss = this.#fromReference
    this.#decided[index] = BY_REFERENCE
    this.#walk((vectorLeft ? right : left)[node] as number, vectorCount, referenceCount + 1)
    this.#decided[index] = UNDECIDED
    this.#values[index] = (this.#values[index] as number) + vectorGain + this.#fromReference
    this.#fromVector += vectorGain
    this.#fromReference += vectorLoss
  }

  #leaf(node: number, vectorCount: number, referenceCount: number): void {
    const value = this.#forest.pathLength[node] as number
    this.#fromVector = vectorCount === 0 ? 0 : value * weight(vectorCount - 1, referenceCount)
    this.#fromReference =
      referenceCount === 0 ? 0 : -value * weight(vectorCount, referenceCount - 1)
  }
}

function weight(vectorCount: number, referenceCount: number): number {
  return (WEIGHTS[vectorCount] as Float64Array)[referenceCount] as number
}
