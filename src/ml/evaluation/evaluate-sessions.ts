import type { Verdict } from "../../events.ts"
import type { SessionTruth } from "../sessions/generate-sessions.ts"
import type { Interval } from "./bootstrap.ts"
import { wilsonInterval } from "./wilson.ts"

export interface JudgedSession {
  readonly truth: SessionTruth
  /** What sort of visitor it is, e.g. `crawler`, where the labels say so. */
  readonly population?: string
  readonly verdict: Pick<Verdict, "verdict" | "behavioral_score">
}

/** What became of the sessions of one truth, or of one population of it. */
export interface TruthShare {
  readonly truth: SessionTruth
  readonly population?: string
  readonly sessions: number
  /** Share (0..1) with the verdict simulate or tag. */
  readonly flagged: number
  /** 95%, Wilson; takes sessions for independent of each other. */
  readonly flaggedInterval: Interval
  /** Share (0..1) with the verdict simulate. */
  readonly simulated: number
  /** Share (0..1) with a behavioural score of 0.5 or more, whatever the verdict. */
  readonly unusualBehavior: number
}

interface Tally {
  readonly truth: SessionTruth
  readonly population?: string
  sessions: number
  flagged: number
  simulated: number
  unusual: number
}

const TRUTHS = ["attack", "anomalous", "benign"] as const
/** Sessions of further populations count in their truth only. */
const POPULATIONS_MAX = 200

/**
 * What is flagged of the sessions of each truth that occurs, the whole of a truth first, then its
 * populations by name.
 */
export async function evaluateSessions(
  rows: AsyncIterable<JudgedSession> | Iterable<JudgedSession>,
): Promise<readonly TruthShare[]> {
  const tallies = new Map<string, Tally>()
  for await (const row of rows) {
    count(tallyOf(tallies, { truth: row.truth }), row)
    if (row.population === undefined) continue
    const { truth, population } = row
    if (tallies.size < POPULATIONS_MAX || tallies.has(keyOf(row))) {
      count(tallyOf(tallies, { truth, population }), row)
    }
  }
  return [...tallies.values()].sort(inOrder).map(shareOf)
}

function keyOf({ truth, population }: Pick<Tally, "truth" | "population">): string {
  return `${truth}\n${population ?? ""}`
}

function tallyOf(tallies: Map<string, Tally>, name: Pick<Tally, "truth" | "population">): Tally {
  const known = tallies.get(keyOf(name))
  if (known !== undefined) return known
  const tally: Tally = { ...name, sessions: 0, flagged: 0, simulated: 0, unusual: 0 }
  tallies.set(keyOf(name), tally)
  return tally
}

function count(tally: Tally, { verdict }: JudgedSession): void {
  tally.sessions += 1
  if (verdict.verdict !== "benign") tally.flagged += 1
  if (verdict.verdict === "simulate") tally.simulated += 1
  if (verdict.behavioral_score >= 0.5) tally.unusual += 1
}

function inOrder(left: Tally, right: Tally): number {
  const truths = TRUTHS.indexOf(left.truth) - TRUTHS.indexOf(right.truth)
  return truths !== 0 ? truths : (left.population ?? "") < (right.population ?? "") ? -1 : 1
}

function shareOf({ flagged, simulated, unusual, ...rest }: Tally): TruthShare {
  const total = rest.sessions
  return {
    ...rest,
    flagged: flagged / total,
    flaggedInterval: wilsonInterval({ hits: flagged, total }),
    simulated: simulated / total,
    unusualBehavior: unusual / total,
  }
}
