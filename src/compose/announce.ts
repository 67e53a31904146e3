import type { ExplainedVerdict } from "../events.ts"
import type { Logger } from "../log.ts"
import type { Sink } from "../stream/types.ts"

/** One log line for each session that is worth simulating, so that it is seen as it happens. */
export function announceSink(log: Logger): Sink<ExplainedVerdict> {
  return {
    name: "announce",
    guarantee: "at-least-once",
    concurrency: 256,
    async write({ verdict }) {
      log.warn("session to simulate", {
        session_id: verdict.session_id,
        event_id: verdict.event_id,
        final_score: Number(verdict.final_score.toFixed(4)),
        class: verdict.payload_predictions[0]?.class,
        attacker_ip: verdict.context.attacker_ip,
      })
    },
  }
}
