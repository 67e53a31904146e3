import type { Features } from "../../events.ts"
import { Random } from "../random.ts"
import { featurize } from "../sessions/featurize.ts"
import { POPULATIONS, type PopulationName } from "../sessions/generate-sessions.ts"

const BACKGROUND_SEED = 2_026

/** About the shares of the benign populations in training. */
const BACKGROUND_POPULATIONS: readonly PopulationName[] = [
  "browser",
  "browser",
  "browser",
  "browser",
  "api_client",
  "api_client",
  "crawler",
  "monitoring",
]

/** The ordinary sessions that explanations compare with: eight generated benign ones, fixed. */
export function backgroundFeatures(): readonly Features[] {
  const random = new Random(BACKGROUND_SEED)
  return BACKGROUND_POPULATIONS.map((name) => featurize(POPULATIONS[name].draw(random)))
}
