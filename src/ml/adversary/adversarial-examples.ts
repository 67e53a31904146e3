import type { PayloadClassifier } from "../../ports.ts"
import type { LabelledPayload } from "../evaluation/labelled-payloads.ts"
import { searchEvasion } from "./search.ts"

export interface AdversarialOptions {
  readonly seed: number
  readonly classifier: PayloadClassifier
  /** Where to start from; benign rows and those whose effect cannot be checked are passed over. */
  readonly attacks: Iterable<LabelledPayload>
  /** Questions to the classifier for each attack; 1,000 is what evasion is reported for. */
  readonly budget: number
}

/** One attack that was rewritten: `evaded` where the classifier called the outcome benign. */
export interface AdversarialExample extends LabelledPayload {
  readonly evaded: boolean
  readonly queries: number
}

/**
 * Attacks rewritten until the classifier lets them pass, labelled as what they still are. Lazy and
 * deterministic: the same seed, classifier and attacks give the same examples.
 *
 * An attack that held out against the whole budget comes as it was, with `evaded: false`. To train
 * against it, give attacks of the *training* rows or of generators, keep what evaded and train
 * again with it:
 *
 *     const attacks = generatePayloads({ seed, count: 2_000 })
 *     const found = adversarialExamples({ seed, classifier, attacks, budget: 200 })
 *     rows.push(...[...found].filter(({ evaded }) => evaded))
 *
 * Source names are `adversary/<class>`, so that a split by source keeps them together.
 */
export function* adversarialExamples(options: AdversarialOptions): Generator<AdversarialExample> {
  const { seed, classifier, attacks, budget } = options
  let index = 0
  for (const attack of attacks) {
    if (attack.label === "benign") continue
    const result = searchEvasion(attack, { classifier, budget, seed: seed + index++ })
    if (result === undefined) continue
    const { evasion, queries } = result
    const source = `adversary/${attack.label}`
    const text = evasion ?? attack.text
    yield { ...attack, text, source, evaded: evasion !== undefined, queries }
  }
}
