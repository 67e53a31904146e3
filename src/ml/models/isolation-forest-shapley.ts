import { REFERENCES_MAX } from "./attributable-scorer.ts"
import type { IsolationForest } from "./isolation-forest.ts"

/** Features that one walk can tell apart: the depth of a tree bounds it. */
const SPLITS_MAX = 32
/** One feature more that is taken from the vector, or from the reference, in a number of counts. */
const [OF_VECTOR, OF_REFERENCE] = [1, SPLITS_MAX + 1]

/** By counts: the Shapley weight of a leaf for a feature that is taken from the vector. */
const VECTOR_WEIGHTS = shapleyWeights((u, v) => (u === 0 ? 0 : coalitionWeight(u - 1, v)))
/** The same for one that is taken from the reference: a leaf that it would spoil. */
const REFERENCE_WEIGHTS = shapleyWeights((u, v) => (v === 0 ? 0 : -coalitionWeight(u, v - 1)))

/** u! v! / (u + v + 1)! */
function coalitionWeight(u: number, v: number): number {
  let weight = 1 / (u + v + 1)
  for (let i = 1; i <= v; i++) weight *= i / (u + i)
  return weight
}

function shapleyWeights(weightOf: (u: number, v: number) => number): Float64Array {
  return Float64Array.from({ length: OF_REFERENCE ** 2 }, (_, counts) =>
    weightOf(counts % OF_REFERENCE, Math.floor(counts / OF_REFERENCE)),
  )
}

const UNDECIDED = 0
const BY_VECTOR = 1
const BY_REFERENCE = 2

/**
 * Exact interventional Shapley values of the mean path length, one vector against some references.
 *
 * A leaf is reached by a coalition that takes some features from the vector and some from the
 * reference; one walk over the branches where the two part collects all of them. References that
 * go the same way are walked together, as a set of bits. Instances are for one caller at a time.
 *
 * @see Lundberg et al.: From local explanations to global understanding with explainable AI for
 *   trees. Nature Machine Intelligence 2, 2020 (interventional TreeSHAP).
 */
export class ForestShapley {
  readonly #forest: IsolationForest
  /** By node: the references that go left there. */
  readonly #goingLeft: Uint8Array
  /** By set of references: the sum of their weights. */
  readonly #weightOf: Float64Array
  readonly #decided: Uint8Array
  #vector: Float32Array = new Float32Array()
  #values: Float64Array = new Float64Array()
  // What the last walk returns: the credit of a feature taken from the vector / the reference.
  #fromVector = 0
  #fromReference = 0

  /** @param references 1 to REFERENCES_MAX, each of length `featureCount` */
  constructor(forest: IsolationForest, references: readonly Float32Array[]) {
    if (references.length > REFERENCES_MAX) throw new RangeError("too many references")
    this.#forest = forest
    this.#goingLeft = nodesGoingLeft(forest, references)
    this.#weightOf = new Float64Array(2 ** references.length)
    this.#decided = new Uint8Array(forest.featureCount)
  }

  /** Overwrites `values` (length `featureCount`), as an Attributor does. */
  attribute(vector: Float32Array, weights: Float64Array, values: Float64Array): void {
    this.#vector = vector
    this.#values = values.fill(0)
    this.#weigh(weights)
    const all = this.#weightOf.length - 1
    const { roots } = this.#forest
    for (const root of roots) this.#walk(root, all, 0)
    for (let i = 0; i < values.length; i++) values[i] = (values[i] as number) / roots.length
  }

  /** A set weighs what its lowest member and the others do. */
  #weigh(weights: Float64Array): void {
    for (let set = 1; set < this.#weightOf.length; set++) {
      const lowest = 31 - Math.clz32(set & -set)
      const others = this.#weightOf[set & (set - 1)] as number
      this.#weightOf[set] = (weights[lowest] as number) + others
    }
  }

  /** @param counts how many features are taken from the vector and how many from the reference */
  #walk(start: number, set: number, counts: number): void {
    const { feature, threshold, left, right } = this.#forest
    let node = start
    for (;;) {
      const index = feature[node] as number
      if (index < 0) {
        this.#leaf(node, set, counts)
        return
      }
      const decided = this.#decided[index] as number
      const vectorLeft = (this.#vector[index] as number) <= (threshold[node] as number)
      const goesLeft = vectorLeft || decided === BY_REFERENCE
      const next = (goesLeft ? left : right)[node] as number
      const along = decided === BY_VECTOR ? set : set & this.#going(node, goesLeft)
      if (along !== set) {
        this.#others(node, set ^ along, counts)
        if (along !== 0) this.#add(next, along, counts)
        return
      }
      node = next
    }
  }

  #going(node: number, left: boolean): number {
    const goingLeft = this.#goingLeft[node] as number
    return left ? goingLeft : ~goingLeft
  }

  /** Walks on with the references that go another way than the vector, or than their like. */
  #others(node: number, set: number, counts: number): void {
    const index = this.#forest.feature[node] as number
    if (this.#decided[index] === UNDECIDED) this.#part(node, set, counts)
    else this.#walk(this.#forest.right[node] as number, set, counts)
  }

  #add(node: number, set: number, counts: number): void {
    const fromVector = this.#fromVector
    const fromReference = this.#fromReference
    this.#walk(node, set, counts)
    this.#fromVector += fromVector
    this.#fromReference += fromReference
  }

  /** Vector and references part here: both branches are walked, and the feature gets its credit. */
  #part(node: number, set: number, counts: number): void {
    const { feature, threshold, left, right } = this.#forest
    const index = feature[node] as number
    const vectorLeft = (this.#vector[index] as number) <= (threshold[node] as number)
    this.#decided[index] = BY_VECTOR
    this.#walk((vectorLeft ? left : right)[node] as number, set, counts + OF_VECTOR)
    const vectorGain = this.#fromVector
    const vectorLoss = this.#fromReference
    this.#decided[index] = BY_REFERENCE
    this.#walk((vectorLeft ? right : left)[node] as number, set, counts + OF_REFERENCE)
    this.#decided[index] = UNDECIDED
    this.#values[index] = (this.#values[index] as number) + vectorGain + this.#fromReference
    this.#fromVector += vectorGain
    this.#fromReference += vectorLoss
  }

  #leaf(node: number, set: number, counts: number): void {
    const value = (this.#forest.pathLength[node] as number) * (this.#weightOf[set] as number)
    this.#fromVector = value * (VECTOR_WEIGHTS[counts] as number)
    this.#fromReference = value * (REFERENCE_WEIGHTS[counts] as number)
  }
}

function nodesGoingLeft(forest: IsolationForest, references: readonly Float32Array[]): Uint8Array {
  return Uint8Array.from(forest.feature, (index, node) => {
    const threshold = forest.threshold[node] ?? 0
    const goesLeft = (reference: Float32Array) => index >= 0 && (reference[index] ?? 0) <= threshold
    return references.reduce((set, reference, r) => set | (goesLeft(reference) ? 1 << r : 0), 0)
  })
}
