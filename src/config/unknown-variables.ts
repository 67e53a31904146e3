import { VARIABLES } from "./variables.ts"

/** A variable that looks like one of ours and is none: a misspelt one has no effect. */
export interface UnknownVariable {
  readonly name: string
  readonly nearest: string
}

/** Of the scripts, benchmarks and tests. */
const OF_TOOLS: readonly string[] = [
  ...["SENTINEL_SERVICES_DATA", "SENTINEL_SERVICES_CACHE", "SENTINEL_BENCH_DATA"],
  ...["SENTINEL_KAFKA_PORT", "SENTINEL_KAFKA_CONTROLLER_PORT", "SENTINEL_JSON_FUZZ"],
  ...["SENTINEL_MINIO_PORT", "SENTINEL_MINIO_USER", "SENTINEL_MINIO_PASSWORD"],
]
const OURS = /^(?:SENTINEL|GATEKEEPER)_[A-Z0-9_]{1,64}$/
/** Set by Kubernetes and Docker for a service that is called `sentinel` or `gatekeeper`. */
const OF_CONTAINERS = /^[A-Z]+_(?:SERVICE_|PORT_\d)|^GATEKEEPER_PORT$/
const REPORTED_MAX = 20

/** At most 20 of them, by name; their values are not looked at. */
export function unknownVariables(
  env: Readonly<Record<string, string | undefined>>,
): readonly UnknownVariable[] {
  const known: readonly string[] = VARIABLES.map(({ name }) => name)
  return Object.keys(env)
    .filter((name) => OURS.test(name) && !OF_CONTAINERS.test(name))
    .filter((name) => !known.includes(name) && !OF_TOOLS.includes(name))
    .toSorted()
    .slice(0, REPORTED_MAX)
    .map((name) => ({ name, nearest: nearestOf(name, known) }))
}

function nearestOf(name: string, known: readonly string[]): string {
  const distances = known.map((candidate) => editDistance(name, candidate))
  return known[distances.indexOf(Math.min(...distances))] ?? ""
}

/** Levenshtein's: insertions, deletions and replacements. */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index)
  for (const [index, character] of [...from].entries()) {
    const next = [index + 1]
    for (const [column, other] of [...to].entries()) {
      const replaced = (row[column] ?? 0) + (character === other ? 0 : 1)
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1))
    }
    row = next
  }
  return row[to.length] ?? 0
}
