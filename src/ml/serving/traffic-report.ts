import type { Tally, TrialCounts } from "../../model-traffic.ts"

/** What one process has counted of a plan. Plain data, to be sent from a worker to the primary. */
export interface TrafficReport {
  /** Of the plan that was counted under; counts of an earlier one say nothing of this. */
  readonly revision: number
  /** undefined where nothing is on trial. */
  readonly trial: TrialCounts | undefined
}

const NO_TALLY: Tally = { events: 0, trials: 0 }
export const NO_COUNTS: TrialCounts = {
  errors: NO_TALLY,
  slow: NO_TALLY,
  missedAttacks: NO_TALLY,
  falseAlarms: NO_TALLY,
}

export function sumCounts(all: readonly TrialCounts[]): TrialCounts {
  const sum = (field: keyof TrialCounts): Tally => ({
    events: all.reduce((total, counts) => total + counts[field].events, 0),
    trials: all.reduce((total, counts) => total + counts[field].trials, 0),
  })
  return {
    errors: sum("errors"),
    slow: sum("slow"),
    missedAttacks: sum("missedAttacks"),
    falseAlarms: sum("falseAlarms"),
  }
}
