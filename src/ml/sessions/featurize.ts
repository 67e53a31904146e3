import { createHash } from "node:crypto"
import type { Features, Session } from "../../events.ts"
import type { Feature } from "./feature-table.ts"
import { FEATURE_TABLE, sessionStatistics } from "./feature-table.ts"

/** Every feature of the table, finite and within its range. */
export function featurize(session: Session): Features {
  const statistics = sessionStatistics(session)
  const features: Record<string, number> = {}
  for (const feature of FEATURE_TABLE) {
    features[feature.name] = clamp(feature.extract(statistics), feature)
  }
  return features
}

/**
 * Completes any subset of the features: a missing or non-finite one takes its default, one out
 * of range the nearest bound; names that the table does not know are left out.
 */
export function completeFeatures(features: Features): Features {
  const complete: Record<string, number> = {}
  for (const feature of FEATURE_TABLE) {
    const given = Object.hasOwn(features, feature.name) ? features[feature.name] : undefined
    complete[feature.name] = clamp(given ?? feature.default, feature)
  }
  return complete
}

/** sha256 (hex) over what a model relies on: names, order, units, ranges and defaults. */
export function featureSchemaHash(): string {
  const rows = FEATURE_TABLE.map(({ name, group, unit, min, max, default: value, meaning }) => [
    name,
    group,
    unit,
    min,
    max,
    value,
    meaning,
  ])
  return createHash("sha256").update(JSON.stringify(rows)).digest("hex")
}

/** The table as text for people, one feature a line, grouped. */
export function renderFeatureTable(): string {
  const lines = FEATURE_TABLE.map((feature) =>
    [
      feature.name.padEnd(28),
      feature.group.padEnd(10),
      feature.unit.padEnd(12),
      `${feature.min}..${feature.max}`.padEnd(14),
      `${feature.default}`.padEnd(8),
      feature.meaning,
    ].join(" "),
  )
  const head = ["name".padEnd(28), "group".padEnd(10), "unit".padEnd(12), "range".padEnd(14)]
  return [`${head.join(" ")} default  meaning`, ...lines, ""].join("\n")
}

function clamp(value: number, feature: Feature): number {
  if (!Number.isFinite(value)) return feature.default
  return Math.min(feature.max, Math.max(feature.min, value))
}
