import { type Classification, PAYLOAD_CLASSES } from "../../events.ts"
import { softmax } from "../models/linear-softmax.ts"

/**
 * P(attack) of the fast tier between which the second one has a say: it calls an attack what it is not
 * certain of. Chosen on validate among bands from 0.01 to 1: one that begins lower costs recall at
 * every rate of false positives from 0.5%, one that ends lower finds fewer attacks at 0.02%.
 */
export const UNSURE = { from: 0.5, to: 0.99 } as const
/** Least probability that enters a logarithm. */
const LEAST = 1e-12

/** @param attackProbability 0..1 */
export function isUnsure(attackProbability: number): boolean {
  return attackProbability > UNSURE.from && attackProbability < UNSURE.to
}

/**
 * The mean of two classifiers' log-probabilities, renormalised: a logarithmic opinion pool. Between
 * two classes that is the mean of their log-odds.
 *
 * @param one probabilities in the order of PAYLOAD_CLASSES; `other` likewise
 */
export function poolTiers(one: Float64Array, other: Float64Array): Float64Array {
  const logits = one.map((probability, index) => {
    const second = other[index] ?? 0
    return (Math.log(probability + LEAST) + Math.log(second + LEAST)) / 2
  })
  const probabilities = new Float64Array(one.length)
  softmax(logits, 1, probabilities)
  return probabilities
}

/** What both tiers say together of one text, under the fast tier's name. */
export function combineTiers(said: Classification, second: Classification): Classification {
  const pooled = poolTiers(vectorOf(said), vectorOf(second))
  const confidence = Math.max(...pooled)
  return {
    ...said,
    class: PAYLOAD_CLASSES[pooled.indexOf(confidence)] ?? "benign",
    confidence,
    probabilities: Object.fromEntries(
      PAYLOAD_CLASSES.map((name, index) => [name, pooled[index] ?? 0]),
    ),
    second_model: second.model,
  }
}

function vectorOf({ probabilities }: Classification): Float64Array {
  return Float64Array.from(PAYLOAD_CLASSES, (name) => probabilities[name] ?? 0)
}
