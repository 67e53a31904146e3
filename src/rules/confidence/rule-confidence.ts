import type { ConfidenceStep } from "../../rule.ts"
import { betaCumulative, logBeta } from "./beta.ts"

/** A rule is right if it blocks this share of the exploit's unseen working relatives, */
export const COVERAGE_WANTED = 0.8
/** and none of so many further benign requests. */
export const BENIGN_REQUESTS_AHEAD = 10_000
/** Jeffreys' prior for a share. */
const PRIOR = 0.5

export interface ConfidenceEvidence {
  /** P(the payload is an exploit) by the simulation alone, 0..1. */
  readonly exploitScore: number
  /** P(attack) by the classifier, 0..1; undefined where nobody classified it. */
  readonly classification: number | undefined
  /** Working relatives that the rule was not made from. */
  readonly heldOut: { readonly count: number; readonly matched: number }
  readonly benign: { readonly count: number; readonly matched: number }
}

/**
 * The probability that a rule is right: that the payload is an exploit, that the rule covers its
 * relatives, and that it meets no customer, each estimated from what was measured.
 *
 * Coverage and false positives are shares with Jeffreys' prior; the first counts as P(share >=
 * COVERAGE_WANTED), the second as P(no match among BENIGN_REQUESTS_AHEAD further requests).
 * @returns the steps of the product, the last one's value being the confidence, 0..1
 * @see Brown, Cai, DasGupta: Interval Estimation for a Binomial Proportion, Statistical Science 2001
 */
export function ruleConfidence(evidence: ConfidenceEvidence): readonly ConfidenceStep[] {
  const { exploitScore, classification = 0, heldOut, benign } = evidence
  const isExploit = 1 - (1 - exploitScore) * (1 - classification)
  const covers = coverageProbability(heldOut)
  const meetsNobody = silenceProbability(benign)
  return [
    { reason: "the simulation and the classifier call it an exploit", value: isExploit },
    {
      reason: `${heldOut.matched} of ${heldOut.count} unseen relatives are matched`,
      value: isExploit * covers,
    },
    {
      reason: `${benign.matched} of ${benign.count} benign requests are matched`,
      value: isExploit * covers * meetsNobody,
    },
  ]
}

/** P(share >= COVERAGE_WANTED) after so many matched of so many. */
function coverageProbability({ count, matched }: ConfidenceEvidence["heldOut"]): number {
  const posterior = { a: matched + PRIOR, b: count - matched + PRIOR }
  return 1 - betaCumulative(COVERAGE_WANTED, posterior)
}

/** P(0 of BENIGN_REQUESTS_AHEAD) under the posterior of the share: a beta-binomial at zero. */
function silenceProbability({ count, matched }: ConfidenceEvidence["benign"]): number {
  const a = matched + PRIOR
  const b = count - matched + PRIOR
  return Math.exp(logBeta(a, b + BENIGN_REQUESTS_AHEAD) - logBeta(a, b))
}

const UPPER = 0.95
const BISECTIONS = 60

/**
 * Upper 95% bound of the share of benign requests that a rule meets, by Clopper and Pearson.
 * @see Clopper, Pearson: The Use of Confidence or Fiducial Limits, Biometrika 26, 1934
 */
export function falsePositiveRateMax({ count, matched }: ConfidenceEvidence["benign"]): number {
  if (matched >= count) return 1
  const posterior = { a: matched + 1, b: count - matched }
  let [low, high] = [0, 1]
  for (let step = 0; step < BISECTIONS; step++) {
    const middle = (low + high) / 2
    if (betaCumulative(middle, posterior) < UPPER) low = middle
    else high = middle
  }
  return high
}
