import { FEATURE_TABLE } from "../sessions/feature-table.ts"

/**
 * What the forest reads: all groups but the payloads', which the classifier judges, and of the
 * context no country and no network, which would punish people for where they live.
 */
export const FOREST_FEATURES = FEATURE_TABLE.filter(({ group }) => group !== "payload").map(
  ({ name, max }) => ({
    name,
    max,
    // Counts, sizes and times spread over magnitudes; shares and flags do not.
    log: max > 1,
  }),
)

export const FOREST_FEATURE_NAMES: readonly string[] = FOREST_FEATURES.map(({ name }) => name)
