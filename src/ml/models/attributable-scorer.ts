import type { Features } from "../../events.ts"
import type { AnomalyScorer } from "../../ports.ts"

/**
 * An anomaly scorer that can say what moved it: score = link(latent(vector)), where the latent
 * value is a sum of parts with exact Shapley values and the link is monotone.
 */
export interface AttributableScorer extends AnomalyScorer {
  /** `features` in the order of `featureNames`. */
  vector(features: Features): Float32Array
  latent(vector: Float32Array): number
  /** The anomaly score, 0..1, of a latent value. */
  link(latent: number): number
  /**
   * Writes the exact interventional Shapley values of the latent value of `vector` against one
   * `reference`; they sum to latent(vector) - latent(reference). `values`: length of the vector.
   */
  attribute(pair: VectorPair, values: Float64Array): void
}

export interface VectorPair {
  readonly vector: Float32Array
  readonly reference: Float32Array
}

/** The named features as a vector; a missing one is 0, the default of the table. */
export function toVector(features: Features, names: readonly string[]): Float32Array {
  const vector = new Float32Array(names.length)
  for (let i = 0; i < names.length; i++) vector[i] = features[names[i] as string] ?? 0
  return vector
}
