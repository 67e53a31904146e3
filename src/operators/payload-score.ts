import type { PayloadPrediction } from "../events.ts"

/** The class of attacks that no sandbox plays through: they are tagged, never simulated. */
const UNSIMULATED_CLASS = "other_attack"

/** More payloads than this discount no further: padding must not buy an attacker silence. */
const DISCOUNTED_PAYLOADS_MAX = 256
/** Hardly ever an attack or a false alarm: apart, or a session's many words would hide its attack. */
const PLAIN_TEXT = /^[\p{L}\p{N}_.-]{0,64}$/u
const BENIGN_MIN = 1e-12

/** P(attack), 0..1. */
export function attackProbability(prediction: PayloadPrediction): number {
  return Math.min(1, Math.max(0, 1 - (prediction.probabilities.benign ?? 0)))
}

/** What the payloads of a session say of it, 0..1 each. */
export interface PayloadScores {
  /** P(one of the payloads is an attack). */
  readonly any: number
  /** The same for the classes that can be simulated; at most `any`. */
  readonly simulated: number
}

/**
 * The probability that a session holds an attack, from the calibrated odds of all its payloads.
 *
 * One false alarm in a thousand fields is one in twenty sessions of fifty, so the decision is the
 * session's: as an attack may stand in any field, its odds are the mean of the odds of its distinct
 * texts (Bayes' rule, all places alike likely). Plain words and numbers do not count among the places
 * of any other text, though these do among theirs. No more than DISCOUNTED_PAYLOADS_MAX discount. A
 * worse payload never lowers a score; one payload alone keeps its own probability.
 */
export function payloadScores(predictions: readonly PayloadPrediction[]): PayloadScores {
  const worst = worstByText(predictions)
  const [plain, other] = [new OddsSum(), new OddsSum()]
  for (const [text, odds] of worst) {
    const sum = PLAIN_TEXT.test(text) ? plain : other
    sum.add(odds)
  }
  const ofPlain = plain.over(worst.size)
  const ofOther = other.over(other.texts)
  return {
    any: probability(Math.max(ofPlain.any, ofOther.any)),
    simulated: probability(Math.max(ofPlain.simulated, ofOther.simulated)),
  }
}

class OddsSum {
  texts = 0
  #any = 0
  #simulated = 0

  add(odds: PayloadScores): void {
    this.texts += 1
    this.#any += odds.any
    this.#simulated += odds.simulated
  }

  over(places: number): PayloadScores {
    const divisor = Math.max(1, Math.min(places, DISCOUNTED_PAYLOADS_MAX))
    return { any: this.#any / divisor, simulated: this.#simulated / divisor }
  }
}

/** A text may be judged in several places: each of its odds is the highest of them. */
function worstByText(
  predictions: readonly PayloadPrediction[],
): ReadonlyMap<string, PayloadScores> {
  const worst = new Map<string, PayloadScores>()
  for (const prediction of predictions) {
    const { text } = prediction.payload
    const attack = attackProbability(prediction)
    const other = Math.min(attack, prediction.probabilities[UNSIMULATED_CLASS] ?? 0)
    const known = worst.get(text)
    worst.set(text, {
      any: Math.max(known?.any ?? 0, odds(attack)),
      simulated: Math.max(known?.simulated ?? 0, odds(attack - other)),
    })
  }
  return worst
}

function odds(attack: number): number {
  return attack / Math.max(BENIGN_MIN, 1 - attack)
}

function probability(attackOdds: number): number {
  return attackOdds / (1 + attackOdds)
}
