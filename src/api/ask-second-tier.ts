import type { SecondTier } from "../model-traffic.ts"
import type { JudgedPayload, JudgeParts, PayloadQuestion } from "./judge-payload.ts"
import type { Tier } from "./model-operations.ts"

export interface TierQuestion extends Pick<JudgeParts, "telemetry"> {
  /** What the client wants; undefined = to ask where the fast tier is unsure. */
  readonly tier: Tier | undefined
  /** undefined where none is live. */
  readonly second?: SecondTier
  /** Monotonic milliseconds at which the request came. */
  readonly arrivedMs?: number
}

/**
 * Asks the second tier where the client wants it, or the fast one is unsure. What rules said, or a
 * model in another one's place, is no opinion to combine with. Who asks for a second tier that is not
 * there gets the fast answer, degraded; so does who asks for one that is on trial and answers other sessions.
 *
 * @returns undefined where the fast tier's answer stands
 */
export function askSecondTier(
  { input, sessionId }: PayloadQuestion,
  judged: JudgedPayload,
  { second, tier, arrivedMs = 0, telemetry }: TierQuestion,
): Promise<JudgedPayload> | undefined {
  const { classification } = judged
  const isOpinion = classification.method === "ml" && classification.degraded === undefined
  if (tier === "fast" || !isOpinion) return undefined
  if (second !== undefined) {
    const isWanted = tier === "deep" || second.isUnsure(classification)
    if (!isWanted) return undefined
    const seconded = second.judge(input, classification, arrivedMs)
    if (second.answers?.(input, sessionId) ?? true) return seconded
  }
  if (tier !== "deep") return undefined
  telemetry.secondTierAsked("skipped")
  return Promise.resolve({ ...judged, classification: { ...classification, degraded: true } })
}
