import { readFileSync } from "node:fs"
import { systemClock } from "../../clock.ts"
import type { Config } from "../../config.ts"
import { ConfigInvalidError } from "../../errors.ts"
import type { Logger } from "../../log.ts"
import type { RuleStore } from "../../ports/rules.ts"
import type { AuditLog } from "../../ports/sandbox.ts"
import type { Rule } from "../../rule.ts"
import {
  type NeverBlock,
  NOTHING_PROTECTED,
  parseNeverBlock,
} from "../../rules/policy/never-block.ts"
import { gatekeeperClient } from "../../services/gatekeeper-client.ts"
import type { DataDirectoryPaths } from "../../store/data-directory.ts"
import { openRuleStore } from "../../store/rule-store.ts"
import { auditedRules } from "./audited-rules.ts"
import { RuleReconciler } from "./rule-reconciler.ts"
import { RuleService, type RuleServiceParts } from "./rule-service.ts"

export interface OpenRuleServiceParts extends Pick<RuleServiceParts, "onDecided"> {
  readonly config: Pick<Config, "rules" | "gatekeeper">
  readonly log: Logger
  readonly paths: Pick<DataDirectoryPaths, "store">
  readonly audit: Pick<AuditLog, "append">
  readonly onApplied: (rule: Rule) => void
}

export interface OpenedRuleService {
  readonly store: RuleStore
  readonly service: RuleService
  /** undefined where no Gatekeeper is configured. */
  readonly reconciler: RuleReconciler | undefined
}

const NEVER_BLOCK_BYTES_MAX = 1_048_576

/** The rules of a data directory and what decides about them, with their way to Gatekeeper. */
export function openRuleService(
  parts: OpenRuleServiceParts,
  stack: AsyncDisposableStack,
): OpenedRuleService {
  const { config, log, onDecided } = parts
  const neverBlock = readNeverBlock(config.rules.neverBlockFile)
  const store = auditedRules(openRuleStore(parts.paths.store), parts)
  stack.defer(() => store.close())
  const onApplied = (rule: Rule) => {
    parts.onApplied(rule)
    log.warn("gatekeeper enforces a rule", { rule_id: rule.rule_id })
  }
  const clock = systemClock
  const reconciler =
    config.gatekeeper &&
    new RuleReconciler({
      ...{ store, clock, onApplied },
      gatekeeper: gatekeeperClient(config.gatekeeper),
    })
  if (reconciler !== undefined) stack.defer(() => reconciler.close())
  const policy = config.rules
  const service = new RuleService({ store, reconciler, policy, neverBlock, clock, onDecided })
  return { store, service, reconciler }
}

/** @throws ConfigInvalidError: rules without the list would block what must not be blocked */
export function readNeverBlock(file: string | undefined): NeverBlock {
  if (file === undefined) return NOTHING_PROTECTED
  let text: string
  try {
    text = readFileSync(file, "utf8")
  } catch {
    throw new ConfigInvalidError(["SENTINEL_NEVER_BLOCK_FILE: cannot be read"])
  }
  if (text.length > NEVER_BLOCK_BYTES_MAX) {
    throw new ConfigInvalidError(["SENTINEL_NEVER_BLOCK_FILE: larger than 1 MiB"])
  }
  return parseNeverBlock(text)
}
