import type { LoadRun } from "./wrk.ts"

/** Runs of several servers under one load, in turn, so that whatever disturbs them disturbs all. */
export type Rounds<Name extends string> = readonly Readonly<Record<Name, LoadRun>>[]

/** The middle one; of an even number the upper. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

/** The median over the rounds of what one server did. */
export function medianOf<Name extends string>(
  rounds: Rounds<Name>,
  name: Name,
  measure: (run: LoadRun) => number,
): number {
  return median(rounds.map((round) => measure(round[name])))
}

/** The median over the rounds of the ratio of two servers within one round. */
export function medianRatio<Name extends string>(
  rounds: Rounds<Name>,
  [one, other]: readonly [Name, Name],
  measure: (run: LoadRun) => number,
): number {
  return median(rounds.map((round) => measure(round[one]) / measure(round[other])))
}

/** One round after another, each server once in a round. */
export async function runRounds<Name extends string>(
  count: number,
  runs: Readonly<Record<Name, () => Promise<LoadRun>>>,
): Promise<Rounds<Name>> {
  const names = Object.keys(runs) as Name[]
  const rounds: Record<Name, LoadRun>[] = []
  for (let round = 0; round < count; round++) {
    const ordered = round % 2 === 0 ? names : names.toReversed()
    const done = {} as Record<Name, LoadRun>
    for (const name of ordered) done[name] = await runs[name]()
    rounds.push(done)
  }
  return rounds
}
