import type { Features } from "../../events.ts"
import type { AttributableScorer, Attributor } from "../models/attributable-scorer.ts"

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

/** Of the final score, against one reference. */
interface Shares {
  readonly base: number
  readonly payload: number
  /** What behaviour moved it by, for each unit of the latent value; 0 where it moved nothing. */
  readonly perLatent: number
}

interface Reference {
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
  readonly #attribute: Attributor

  constructor(scorer: AttributableScorer, background: readonly Features[]) {
    this.#scorer = scorer
    const vectors = background.map((features) => scorer.vector(features))
    this.#references = vectors.map((vector) => {
      const latent = scorer.latent(vector)
      return { latent, behavior: scorer.link(latent) }
    })
    this.#attribute = scorer.attributor(vectors)
    this.#usual = new Map(scorer.featureNames.map((name) => [name, meanOf(name, background)]))
  }

  explain(input: { features: Features; payload: number; combine: Combine }): ScoreAttribution {
    const { payload, combine } = input
    const scorer = this.#scorer
    const vector = scorer.vector(input.features)
    const latent = scorer.latent(vector)
    const behavior = scorer.link(latent)
    const shares = this.#references.map((reference) =>
      this.#shares({ payload, latent, reference }, combine),
    )
    const values = new Float64Array(vector.length)
    this.#attribute(
      vector,
      Float64Array.from(shares, ({ perLatent }) => perLatent),
      values,
    )
    const count = this.#references.length
    return {
      baseValue: shares.reduce((sum, { base }) => sum + base, 0) / count,
      finalScore: combine(payload, behavior),
      behaviorScore: behavior,
      payload: shares.reduce((sum, share) => sum + share.payload, 0) / count,
      features: new Map(scorer.featureNames.map((name, i) => [name, (values[i] ?? 0) / count])),
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
  ): Shares {
    const { payload, latent, reference } = moved
    const way = latent - reference.latent
    let gain = 0
    for (let step = 0; step < STEPS; step++) {
      const behavior = this.#scorer.link(reference.latent + (way * (step + 0.5)) / STEPS)
      gain += combine(payload, behavior) - combine(BACKGROUND_PAYLOAD, behavior)
    }
    const base = combine(BACKGROUND_PAYLOAD, reference.behavior)
    const difference = combine(payload, this.#scorer.link(latent)) - base
    const behavior = difference - gain / STEPS
    const isNone = Math.abs(behavior) < SHARE_EPSILON || Math.abs(way) < LATENT_EPSILON
    return { base, payload: gain / STEPS, perLatent: isNone ? 0 : behavior / way }
  }
}

function meanOf(name: string, background: readonly Features[]): number {
  const sum = background.reduce((total, features) => total + (features[name] ?? 0), 0)
  return sum / background.length
}
