import { publicError } from "../../errors.ts"
import type { Logger } from "../../log.ts"
import type { ModelDecision } from "../../model-traffic.ts"
import type { AuditLog } from "../../ports/sandbox.ts"
import type { Telemetry } from "../../telemetry.ts"
import type { ModelEvents } from "../model-events.ts"

export interface ModelAnnouncementParts {
  readonly audit: Pick<AuditLog, "append">
  readonly log: Logger
  readonly telemetry: Pick<Telemetry, "modelRolledBack">
  /** undefined where no Kafka is configured. */
  readonly events?: Pick<ModelEvents, "add"> | undefined
}

/**
 * Tells of each decision about a model: the audit log, Kafka, and the counter where a guard took one
 * back. The decision holds whether or not that succeeds; the registry has it in any case.
 */
export function announceDecisions({ audit, log, telemetry, events }: ModelAnnouncementParts) {
  return (decisions: readonly ModelDecision[]): void => {
    events?.add(decisions)
    for (const decision of decisions) {
      const { guard, to } = decision
      if (guard !== undefined && to === "retired") telemetry.modelRolledBack(guard)
      audit.append("model", decisionDocument(decision)).catch((error) => {
        const { code } = publicError(error)
        log.error("a decision about a model is missing in the audit log", { code })
      })
    }
  }
}

function decisionDocument(decision: ModelDecision) {
  const { modelId, from, to, percent, reason, guard, live, revision } = decision
  return {
    ...{ model_id: modelId, from, to, canary_percent: percent, reason },
    ...{ guard: guard ?? null, live, revision },
  }
}
