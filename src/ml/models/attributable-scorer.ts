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
  /** @param references of the comparison, 1 to REFERENCES_MAX */
  attributor(references: readonly Float32Array[]): Attributor
}

export const REFERENCES_MAX = 8

/**
 * Writes into `values` (length of the vector) the sum over the references of `weights[r]` times the
 * exact interventional Shapley values of the latent value of `vector` against reference r. These
 * sum to latent(vector) - latent(reference r) each.
 */
export type Attributor = (vector: Float32Array, weights: Float64Array, values: Float64Array) => void

/** The named features as a vector; a missing one is 0, the default of the table. */
export function toVector(features: Features, names: readonly string[]): Float32Array {
  const vector = new Float32Array(names.length)
  for (let i = 0; i < names.length; i++) vector[i] = features[names[i] as string] ?? 0
  return vector
}
