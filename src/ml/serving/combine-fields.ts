/** Class -> probability, summing to 1, `benign` among them. */
type Probabilities = Readonly<Record<string, number>>

/**
 * log-odds of attack = max(WHOLE_FLOOR + whole, WHOLE_WEIGHT whole + FIELD_WEIGHT worst field).
 *
 * Chosen on sources never trained on among weights of both from 0 to 1: from 0.1/0.9 to 0.4/0.6 they
 * rank alike and far better than either alone; 0.3/1 is the best calibrated. The floor costs nothing
 * there, and keeps an attack that is spread over several fields from being voted down by them.
 */
const WHOLE_WEIGHT = 0.3
const FIELD_WEIGHT = 1
const WHOLE_FLOOR = -3

const PROBABILITY_MIN = 1e-12

export interface CombinedLogOdds {
  /** Of attack against benign; never falls when either probability of attack grows. */
  readonly value: number
  /** True where the fields had no say. */
  readonly wholeDecides: boolean
  /** By how much a unit of the whole's log-odds moved the value. */
  readonly share: number
}

/** Joins what was said of a whole text and of the worst of its fields. */
export function combineLogOdds(whole: Probabilities, worst: Probabilities): CombinedLogOdds {
  const wholeOdds = logOdds(whole)
  const mixed = WHOLE_WEIGHT * wholeOdds + FIELD_WEIGHT * logOdds(worst)
  const floor = wholeOdds + WHOLE_FLOOR
  if (floor > mixed) return { value: floor, wholeDecides: true, share: 1 }
  return { value: mixed, wholeDecides: false, share: WHOLE_WEIGHT }
}

/**
 * The joint probabilities of all classes that either knows: P(attack) by the joint log-odds, shared
 * out among the attack classes by the weighted sum of both opinions.
 */
export function pooledProbabilities(
  whole: Probabilities,
  worst: Probabilities,
): Record<string, number> {
  const benign = 1 / (1 + Math.exp(combineLogOdds(whole, worst).value))
  const opinions: Record<string, number> = {}
  let total = 0
  for (const name of Object.keys(whole)) {
    if (name === "benign") continue
    const opinion = WHOLE_WEIGHT * (whole[name] ?? 0) + FIELD_WEIGHT * (worst[name] ?? 0)
    opinions[name] = opinion
    total += opinion
  }
  if (total === 0) return { ...opinions, benign: 1 }
  for (const name of Object.keys(opinions)) {
    opinions[name] = ((opinions[name] ?? 0) / total) * (1 - benign)
  }
  return { ...opinions, benign }
}

/** Of attack against benign, within +-27.7. */
function logOdds({ benign = 0 }: Probabilities): number {
  const bounded = Math.min(1 - PROBABILITY_MIN, Math.max(PROBABILITY_MIN, benign))
  return Math.log((1 - bounded) / bounded)
}
