import type { Features } from "../../events.ts"
import { featurize } from "../sessions/featurize.ts"
import { generateSessions } from "../sessions/generate-sessions.ts"

const BACKGROUND_SEED = 2_026
const BACKGROUND_SESSIONS = 8

/** The ordinary sessions that explanations compare with: eight generated benign ones, fixed. */
export function backgroundFeatures(): readonly Features[] {
  const drawn = generateSessions({ seed: BACKGROUND_SEED, count: BACKGROUND_SESSIONS })
  return [...drawn].map(({ session }) => featurize(session))
}
