import type { Tally } from "../../model-traffic.ts"

export interface SequentialTestOptions {
  /** Rate (0..1) of events up to which nothing is wrong. */
  readonly usual: number
  /** Rate from which something is; the wider apart the two, the fewer trials decide. */
  readonly bad: number
}

/**
 * Evidence that events come more often than usual, which may be looked at as often as one likes.
 *
 * A likelihood ratio of `bad` against `usual` (Wald 1945), begun anew at each look with a share
 * 1/(n(n+1)) of the stake, so that a model that turns bad late is found as well. While the rate is at
 * most `usual`, it is a non-negative supermartingale that starts at 1: the chance that it ever reaches
 * 1/a is at most a (Ville 1939), however long one watches. That is why noise does not trip a guard.
 *
 * @see Ramdas, Grünwald, Vovk, Shafer: Game-theoretic statistics and safe anytime-valid inference,
 * Statistical Science 38 (2023)
 */
export class SequentialTest {
  readonly #options: SequentialTestOptions
  #looks = 0
  #staked = 0
  #largest = 1

  constructor(options: SequentialTestOptions) {
    this.#options = options
  }

  /** The largest evidence so far, 1..; reaching 1/a by chance has a probability of at most a. */
  get evidence(): number {
    return this.#largest
  }

  /**
   * Takes in what has happened since the last look.
   * @param options where the usual rate differs from look to look, that of this one
   */
  observe({ events, trials }: Tally, options: SequentialTestOptions = this.#options): void {
    if (trials <= 0) return
    const { usual, bad } = options
    const happened = Math.max(0, Math.min(events, trials))
    const logRatio =
      happened * Math.log(bad / usual) + (trials - happened) * Math.log((1 - bad) / (1 - usual))
    this.#looks += 1
    const stake = 1 / (this.#looks * (this.#looks + 1))
    this.#staked = (this.#staked + stake) * Math.exp(logRatio)
    this.#largest = Math.max(this.#largest, this.#staked + 1 / (this.#looks + 1))
  }
}
