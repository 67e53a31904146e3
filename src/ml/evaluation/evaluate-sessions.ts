import type { Verdict } from "../../events.ts"
import type { SessionTruth } from "../sessions/generate-sessions.ts"

export interface JudgedSession {
  readonly truth: SessionTruth
  readonly verdict: Pick<Verdict, "verdict" | "behavioral_score">
}

export interface TruthShare {
  readonly truth: SessionTruth
  readonly sessions: number
  /** Share (0..1) with the verdict simulate or tag. */
  readonly flagged: number
  /** Share (0..1) with the verdict simulate. */
  readonly simulated: number
  /** Share (0..1) with a behavioural score of 0.5 or more, whatever the verdict. */
  readonly unusualBehavior: number
}

/** What is flagged of the sessions of each truth; truths that do not occur are left out. */
export async function evaluateSessions(
  rows: AsyncIterable<JudgedSession> | Iterable<JudgedSession>,
): Promise<readonly TruthShare[]> {
  const tallies = { attack: newTally(), anomalous: newTally(), benign: newTally() }
  for await (const { truth, verdict } of rows) {
    const tally = tallies[truth]
    tally.sessions += 1
    if (verdict.verdict !== "benign") tally.flagged += 1
    if (verdict.verdict === "simulate") tally.simulated += 1
    if (verdict.behavioral_score >= 0.5) tally.unusual += 1
  }
  const truths = ["attack", "anomalous", "benign"] as const
  return truths
    .filter((truth) => tallies[truth].sessions > 0)
    .map((truth) => {
      const { sessions, flagged, simulated, unusual } = tallies[truth]
      return {
        truth,
        sessions,
        flagged: flagged / sessions,
        simulated: simulated / sessions,
        unusualBehavior: unusual / sessions,
      }
    })
}

function newTally() {
  return { sessions: 0, flagged: 0, simulated: 0, unusual: 0 }
}
