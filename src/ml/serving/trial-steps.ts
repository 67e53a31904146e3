import type { Trial } from "../../model-traffic.ts"
import { nextStage } from "./registry-state.ts"
import type { GuardReading, GuardTrip, TrialGuards } from "./trial-guards.ts"

/** The least time and number of comparisons at which a canary goes on by itself. */
export const STAGE_HOLD_MS = 600_000
export const STAGE_COMPARISONS_MIN = 200
/** A promoted model is compared with the one before it for so long. */
export const PROBATION_MS = 3_600_000

/** What follows for a trial from a look at it. */
export type TrialStep =
  | { readonly kind: "take-back"; readonly trip: GuardTrip }
  | { readonly kind: "end-probation" }
  | { readonly kind: "next-stage"; readonly percent: number; readonly reason: string }

export interface TrialLook {
  readonly guards: TrialGuards
  readonly reading: GuardReading
  /** Epoch milliseconds. */
  readonly nowMs: number
}

/** Looks at a trial once. @returns undefined where it goes on as it is */
export function nextStep(
  trial: Trial,
  { guards, reading, nowMs }: TrialLook,
): TrialStep | undefined {
  const trip = guards.look(reading)
  if (trip !== undefined) return { kind: "take-back", trip }
  const heldMs = nowMs - trial.sinceMs
  if (trial.mode === "probation") {
    return heldMs >= PROBATION_MS ? { kind: "end-probation" } : undefined
  }
  const percent = trial.auto ? nextStage(trial.percent) : undefined
  const { trials } = reading.counts.errors
  if (percent === undefined || heldMs < STAGE_HOLD_MS || trials < STAGE_COMPARISONS_MIN) {
    return undefined
  }
  return { kind: "next-stage", percent, reason: `nothing spoke against it at ${trial.percent}%` }
}
