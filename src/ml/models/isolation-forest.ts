/**
 * Isolation forest: what few random cuts set apart from its peers is anomalous.
 *
 * @see Liu, Ting, Zhou: Isolation Forest. ICDM 2008.
 */
export interface IsolationForest {
  /** Node of each tree at which a walk begins. */
  readonly roots: Int32Array
  /** Index of the feature that a node compares, -1 in a leaf. */
  readonly feature: Int32Array
  /** A walk goes left where the feature's value <= threshold. */
  readonly threshold: Float32Array
  readonly left: Int32Array
  readonly right: Int32Array
  /** In a leaf, depth + `averagePathLength(training rows in it)`; 0 elsewhere. */
  readonly pathLength: Float32Array
  readonly featureCount: number
  readonly sampleSize: number
}

const EULER_GAMMA = 0.577_215_664_901_532_9

/** Mean depth of an unsuccessful search in a binary search tree of `size` keys (c(n) in the paper). */
export function averagePathLength(size: number): number {
  if (size < 2) return 0
  if (size === 2) return 1
  return 2 * (Math.log(size - 1) + EULER_GAMMA) - (2 * (size - 1)) / size
}

/** Mean path length of one vector (length `featureCount`) over all trees. */
export function meanPathLength(forest: IsolationForest, vector: Float32Array): number {
  const { roots, feature, threshold, left, right, pathLength } = forest
  let total = 0
  for (let tree = 0; tree < roots.length; tree++) {
    let node = roots[tree] as number
    for (;;) {
      const index = feature[node] as number
      if (index < 0) break
      const goesLeft = (vector[index] as number) <= (threshold[node] as number)
      node = (goesLeft ? left[node] : right[node]) as number
    }
    total += pathLength[node] as number
  }
  return total / roots.length
}

/** The paper's anomaly score, 0..1: 2^(-mean path length / c(sample size)). */
export function isolationScore(forest: IsolationForest, pathLength: number): number {
  return 2 ** (-pathLength / averagePathLength(forest.sampleSize))
}
