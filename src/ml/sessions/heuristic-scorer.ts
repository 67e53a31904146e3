import type { AnomalyScore } from "../../events.ts"
import type { AttributableScorer } from "../models/attributable-scorer.ts"
import { toVector } from "../models/attributable-scorer.ts"

/** A sign of misbehaviour: at `full` and above it alone gives a score of `strength`. */
interface Sign {
  readonly feature: string
  readonly from: number
  readonly full: number
  /** 0..1 */
  readonly strength: number
}

/** Chosen by hand from how scanners, stuffing and enumeration behave; nothing here is learnt. */
const SIGNS: readonly Sign[] = [
  { feature: "scanner_agent_ratio", from: 0, full: 0.2, strength: 0.8 },
  { feature: "sensitive_path_ratio", from: 0.02, full: 0.3, strength: 0.6 },
  { feature: "not_found_rate", from: 0.15, full: 0.7, strength: 0.5 },
  { feature: "server_error_rate", from: 0.05, full: 0.4, strength: 0.3 },
  { feature: "denied_rate", from: 0.1, full: 0.7, strength: 0.4 },
  { feature: "denied_logins", from: 3, full: 15, strength: 0.6 },
  { feature: "numbered_enumeration", from: 15, full: 80, strength: 0.5 },
  { feature: "request_rate_per_min", from: 120, full: 900, strength: 0.4 },
  { feature: "ua_changes", from: 2, full: 5, strength: 0.4 },
  { feature: "empty_agent_ratio", from: 0.1, full: 1, strength: 0.2 },
  { feature: "tag_severity_score", from: 0, full: 0.5, strength: 0.3 },
  { feature: "has_poi_tag", from: 0, full: 1, strength: 0.2 },
  { feature: "prior_poi_count", from: 0, full: 4, strength: 0.3 },
  { feature: "is_from_tor", from: 0, full: 1, strength: 0.15 },
]

const FEATURE_NAMES: readonly string[] = SIGNS.map(({ feature }) => feature)

/**
 * The score while no forest is loaded: 1 - the product of (1 - strength) over the signs seen, so
 * that each sign adds to the others and none lowers the score.
 *
 * The latent value is the sum of log(1 - strength), in which every feature has its own share.
 */
export function heuristicScorer(): AttributableScorer {
  const latent = (vector: Float32Array): number =>
    SIGNS.reduce((sum, sign, i) => sum + logCalm(sign, vector[i] ?? 0), 0)
  const link = (value: number): number => Math.min(1, Math.max(0, 1 - Math.exp(value)))
  return {
    info: HEURISTIC_INFO,
    featureNames: FEATURE_NAMES,
    score: (features): AnomalyScore => ({
      score: link(latent(toVector(features, FEATURE_NAMES))),
      method: "heuristic",
      model: HEURISTIC_INFO.modelId,
    }),
    vector: (features) => toVector(features, FEATURE_NAMES),
    latent,
    link,
    attributor: (references) => (vector, weights, values) => {
      for (const [i, sign] of SIGNS.entries()) {
        const own = logCalm(sign, vector[i] ?? 0)
        values[i] = references.reduce((sum, reference, r) => {
          return sum + (weights[r] ?? 0) * (own - logCalm(sign, reference[i] ?? 0))
        }, 0)
      }
    },
  }
}

const HEURISTIC_INFO = {
  modelId: "session-heuristic",
  modelType: "heuristic",
  trainedAt: "",
  trainingSamples: 0,
  validationSamples: 0,
  metrics: {},
} as const

/** Logarithm of 1 - strength, as far as the sign is there; 0 where it is not. */
function logCalm(sign: Sign, value: number): number {
  const part = Math.min(1, Math.max(0, (value - sign.from) / (sign.full - sign.from)))
  return Math.log(1 - sign.strength * part)
}
