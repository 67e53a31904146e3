import { setImmediate } from "node:timers/promises"
import type { FeaturizedEvidence, PayloadPrediction } from "../events.ts"
import type { CachedClassifier } from "../ports.ts"
import type { Operator } from "../stream/types.ts"

/** About 50 ms of work: after that many characters the event loop gets its turn. */
const TURN_CHARS = 1_048_576

/**
 * Classifies every payload of the session, in their order.
 *
 * In: payloads of any number and length, both bounded by their extraction. Out: one prediction
 * each. Pure computation, so one record at a time: a wider limit would only interleave.
 */
export function classifyPayloads(
  classifier: Pick<CachedClassifier, "lookup">,
): Operator<FeaturizedEvidence, readonly PayloadPrediction[]> {
  return {
    name: "classify_payloads",
    concurrency: 1,
    onFailure: "degraded",
    async process({ session }, { signal }) {
      const predictions: PayloadPrediction[] = []
      // a session is judged by one model, where two share the traffic
      const { sessionId } = session
      let chars = 0
      for (const payload of session.payloads) {
        const { text, kind } = payload
        const { classification } = classifier.lookup({ text, kind }, { sessionId })
        predictions.push({ ...classification, payload })
        chars += text.length
        if (chars < TURN_CHARS) continue
        chars = 0
        await setImmediate(undefined, { signal })
      }
      return predictions
    },
  }
}
