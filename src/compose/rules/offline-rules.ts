import type { RuleOperations } from "../../api/rule-operations.ts"
import type { Config } from "../../config.ts"
import { UnavailableError } from "../../errors.ts"
import type { Logger } from "../../log.ts"
import type { AuditLog } from "../../ports/sandbox.ts"
import type { DataDirectoryPaths } from "../../store/data-directory.ts"
import { openRuleService } from "./open-rule-service.ts"
import { ruleOperations } from "./rule-operations.ts"

export interface OfflineRulesParts {
  readonly config: Pick<Config, "rules" | "gatekeeper">
  readonly log: Logger
  readonly paths: DataDirectoryPaths
  readonly audit: Pick<AuditLog, "append">
}

/**
 * The rules of a data directory that nobody serves: what is decided reaches Gatekeeper before the
 * answer is given, or with the next start. None can be made.
 */
export function offlineRules(
  parts: OfflineRulesParts,
  stack: AsyncDisposableStack,
): RuleOperations {
  const ignore = () => undefined
  const opened = openRuleService({ ...parts, onApplied: ignore, onDecided: ignore }, stack)
  const operations = ruleOperations(opened)
  return {
    ...operations,
    propose: () => Promise.reject(new UnavailableError("what makes rules")),
    async apply(ruleId, forced) {
      // the policy asks whether Gatekeeper agrees: nobody has looked yet
      await opened.reconciler?.run()
      const decision = await operations.apply(ruleId, forced)
      await opened.reconciler?.run()
      return decision
    },
  }
}
