import type { Classification } from "../../events.ts"
import type { SecondedAnswer, SecondTier } from "../../model-traffic.ts"
import type { PayloadInput } from "../../ports.ts"
import { isInShare, sessionHash } from "./session-share.ts"
import { TrialComparison } from "./trial-comparison.ts"

/**
 * A second tier on trial: asked wherever it would be, it answers a share of the sessions, none at 0, and
 * is compared with what the fast tier said.
 *
 * No guard looks at what it says: to change what the fast tier is unsure of is its purpose. Its deadline
 * and its circuit breaker end every harm that it can do to an answer's time.
 */
export class SharedTier implements SecondTier {
  readonly modelId: string
  readonly comparison = new TrialComparison()
  readonly #tier: SecondTier
  readonly #percent: number

  /** @param percent 0..100 of the sessions */
  constructor(tier: SecondTier, percent: number) {
    this.modelId = tier.modelId
    this.#tier = tier
    this.#percent = percent
  }

  isUnsure(said: Classification): boolean {
    return this.#tier.isUnsure(said)
  }

  answers({ text }: PayloadInput, sessionId: string | undefined): boolean {
    return isInShare(sessionHash(this.modelId, sessionId ?? text), this.#percent)
  }

  async judge(
    input: PayloadInput,
    said: Classification,
    arrivedMs: number,
  ): Promise<SecondedAnswer> {
    const answer = await this.#tier.judge(input, said, arrivedMs)
    const { classification } = answer
    // where it was late, busy or failed there is nothing to compare
    if (classification.second_model !== undefined) this.#compare(input, said, classification)
    return answer
  }

  /** Time is left out: the deep model is slower, and nobody waits for it beyond its deadline. */
  #compare({ text }: PayloadInput, said: Classification, together: Classification): void {
    const reference = { classification: said, elapsedMs: 0 }
    const trial = { classification: together, elapsedMs: 0 }
    this.comparison.compare({ text, slot: 0, reference, trial })
  }
}
