import type { Features } from "../../events.ts"
import type { AttributableScorer } from "../models/attributable-scorer.ts"

/** The final score, 0..1, of a payload score and a behaviour score; monotone in both. */
export type Combine = (payload: number, behavior: number) => number

export interface ScoreAttribution {
  /** Mean final score of the background. */
  readonly baseValue: number
  readonly finalScore: number
  readonly behaviorScore: number
  /** Shapley value of the payload score, in units of the final score. */
  readonly payload: number
  /** By feature of the scorer; all others have none. */
  readonly features: ReadonlyMap<string, number>
  /** Mean of each of these features over the background. */
  readonly usual: ReadonlyMap<string, number>
}

/** Ordinary sessions carry no suspicious payload. */
const BACKGROUND_PAYLOAD = 0
/** Below this difference of latent values, the behaviours are the same. */
const LATENT_EPSILON = 1e-12

/** Points at which the payload may join the features. */
const STEPS = 8

/** Below this, a share is the rounding of a sum. */
const SHARE_EPSILON = 1e-15

interface Reference {
  readonly vector: Float32Array
  readonly latent: number
  readonly behavior: number
}

/**
 * Attributes a final score to the payload score and to each feature of the anomaly scorer.
 *
 * Against every background session the payload gets its mean gain along the way from the
 * background's behaviour to the session's: its Shapley value where the features are many and each
 * is small. The rest goes to the features in proportion to the exact interventional Shapley values
 * of the scorer's latent value. Efficiency is exact, to rounding: baseValue + all values =
 * finalScore. The link and the maximum in the final score bend the way between, so the values of
 * single features are close to their Shapley values, not equal.
 *
 * @see Chen, Lundberg, Lee: Explaining a series of models by propagating Shapley values. Nature
 *   Communications 13, 2022.
 */
export class ScoreExplainer {
  readonly #scorer: AttributableScorer
  readonly #references: readonly Reference[]
  readonly #usual: ReadonlyMap<string, number>
  readonly #values: Float64Array

  constructor(scorer: AttributableScorer, background: readonly Features[]) {
    this.#scorer = scorer
    this.#references = background.map((features) => {
      const vector = scorer.vector(features)
      const latent = scorer.latent(vector)
      return { vector, latent, behavior: scorer.link(latent) }
    })
    this.#usual = new Map(scorer.featureNames.map((name) => [name, meanOf(name, background)]))
    this.#values = new Float64Array(scorer.featureNames.length)
  }

  explain(input: { features: Features; payload: number; combine: Combine }): ScoreAttribution {
    const { payload, combine } = input
    const scorer = this.#scorer
    const vector = scorer.vector(input.features)
    const latent = scorer.latent(vector)
    const behavior = scorer.link(latent)
    const total = new Float64Array(vector.length)
    let baseValue = 0
    let payloadValue = 0
    for (const reference of this.#references) {
      const shares = this.#shares({ payload, latent, reference }, combine)
      baseValue += shares.base
      payloadValue += shares.payload
      if (Math.abs(shares.behavior) < SHARE_EPSILON) continue
      this.#spread({ vector, latent, reference, share: shares.behavior }, total)
    }
    const count = this.#references.length
    return {
      baseValue: baseValue / count,
      finalScore: combine(payload, behavior),
      behaviorScore: behavior,
      payload: payloadValue / count,
      features: new Map(scorer.featureNames.map((name, i) => [name, (total[i] ?? 0) / count])),
      usual: this.#usual,
    }
  }

  /**
   * Splits the difference of the final score. The payload joins after a share of the features that
   * is equally likely anywhere in 0..1: its value is its mean gain along the way from the
   * reference's behaviour to the session's. What remains is behaviour's.
   */
  #shares(
    moved: { payload: number; latent: number; reference: Reference },
    combine: Combine,
  ): { base: number; payload: number; behavior: number } {
    const { payload, latent, reference } = moved
    let gain = 0
    for (let step = 0; step < STEPS; step++) {
      const part = (step + 0.5) / STEPS
      const behavior = this.#scorer.link(reference.latent + part * (latent - reference.latent))
      gain += combine(payload, behavior) - combine(BACKGROUND_PAYLOAD, behavior)
    }
    const base = combine(BACKGROUND_PAYLOAD, reference.behavior)
    const difference = combine(payload, this.#scorer.link(latent)) - base
    return { base, payload: gain / STEPS, behavior: difference - gain / STEPS }
  }

  /** Adds the behaviour's share of the score to the features, in proportion to what moved it. */
  #spread(
    moved: { vector: Float32Array; latent: number; reference: Reference; share: number },
    total: Float64Array,
  ): void {
    const difference = moved.latent - moved.reference.latent
    if (Math.abs(difference) < LATENT_EPSILON) return
    const pair = { vector: moved.vector, reference: moved.reference.vector }
    this.#scorer.attribute(pair, this.#values)
    const perLatent = moved.share / difference
    for (let i = 0; i < total.length; i++) {
      total[i] = (total[i] as number) + (this.#values[i] as number) * perLatent
    }
  }
}

function meanOf(name: string, background: readonly Features[]): number {
  const sum = background.reduce((total, features) => total + (features[name] ?? 0), 0)
  return sum / background.length
}
