import type { RuleOperations } from "../../api/rule-operations.ts"
import { systemClock } from "../../clock.ts"
import type { Config } from "../../config.ts"
import { publicError } from "../../errors.ts"
import type { Logger } from "../../log.ts"
import type { GenerateRulesParts, RuleOrder } from "../../operators/generate-rules.ts"
import type { RuleStore } from "../../ports/rules.ts"
import type { AuditLog, Sandbox } from "../../ports/sandbox.ts"
import type { VerdictStore } from "../../ports.ts"
import type { Rule, RuleDecision } from "../../rule.ts"
import type { RuleOrigin } from "../../rules/policy/never-block.ts"
import { RuleCoveredError } from "../../rules/rule-refused-error.ts"
import type { DataDirectoryPaths } from "../../store/data-directory.ts"
import type { Telemetry } from "../../telemetry.ts"
import { workerPool } from "../worker-pool.ts"
import { coveringRule } from "./covering-rule.ts"
import { openRuleService } from "./open-rule-service.ts"
import type { PatternAnswer, PatternOrder } from "./pattern-worker.ts"
import { proposeRules } from "./propose-rules.ts"
import { keepReconciled } from "./reconcile-periodically.ts"
import { ruleMaker } from "./rule-maker.ts"
import { ruleOperations } from "./rule-operations.ts"
import type { RuleService } from "./rule-service.ts"

export interface OpenRulesParts {
  readonly config: Pick<Config, "rules" | "gatekeeper">
  readonly log: Logger
  readonly paths: Pick<DataDirectoryPaths, "store">
  readonly verdicts: Pick<VerdictStore, "query" | "byEvent">
  readonly sandbox: Pick<Sandbox, "run">
  readonly audit: Pick<AuditLog, "append">
  readonly telemetry: Pick<
    Telemetry,
    "ruleGenerated" | "ruleApplied" | "ruleRefused" | "watchRules"
  >
}

export interface Rules {
  /** What the simulation flow does with a proven exploit. */
  readonly flow: Pick<GenerateRulesParts, "make" | "decide" | "onRefused">
  readonly operations: RuleOperations
}

/** Makes rules, has them decided about, and keeps Gatekeeper, where there is one, at that. */
export function openRules(parts: OpenRulesParts, stack: AsyncDisposableStack): Rules {
  const { log, telemetry } = parts
  const deciding = openRuleService(
    {
      ...parts,
      onApplied: () => telemetry.ruleApplied(),
      onDecided: (rule, decision) => announce(rule, decision, parts),
    },
    stack,
  )
  const { store, service, reconciler } = deciding
  void withdrawProtected(service, log)
  if (reconciler !== undefined) stack.defer(keepReconciled({ reconciler, clock: systemClock, log }))
  telemetry.watchRules(() => ({ states: store.counts(), isDrifting: reconciler?.isDrifting }))
  const make = openMaker({ ...parts, rules: store }, stack)
  return {
    flow: {
      make: (order) => makeUncovered(order, store, make),
      decide: (rule, order) => service.propose(rule, originOf(order)),
      onRefused: ({ class: attack, simulationId }, code) => {
        telemetry.ruleRefused(code)
        log.info("no rule was made for an exploit", { simulation_id: simulationId, attack, code })
      },
    },
    operations: {
      ...ruleOperations(deciding),
      propose: proposeRules({ ...parts, store, service, make }),
    },
  }
}

async function withdrawProtected(
  service: Pick<RuleService, "withdrawProtected">,
  log: Logger,
): Promise<void> {
  try {
    const withdrawn = await service.withdrawProtected()
    if (withdrawn > 0)
      log.warn("rules that touch what is never blocked are taken out", { withdrawn })
  } catch (error) {
    log.error("the rules could not be held against the never-block list", publicError(error))
  }
}

/** The same simulation again, after a crash, has the same rule; any other exploit that is covered, none. */
function makeUncovered(
  order: RuleOrder,
  store: RuleStore,
  make: (order: RuleOrder) => Promise<Rule>,
): Promise<Rule> {
  const covering = coveringRule(store, order.subject)?.rule
  if (covering === undefined) return make(order)
  const isSame = covering.evidence.simulation_id === order.subject.simulationId
  return isSame ? Promise.resolve(covering) : Promise.reject(new RuleCoveredError())
}

function openMaker(
  { config, verdicts, rules }: OpenRulesParts & { readonly rules: RuleStore },
  stack: AsyncDisposableStack,
): (order: RuleOrder) => Promise<Rule> {
  const pool = workerPool<PatternOrder, PatternAnswer>({
    file: new URL("./pattern-worker.ts", import.meta.url),
    threads: 1,
    queueMax: 16,
  })
  stack.defer(() => pool.close())
  const { timeToLiveMs, benignDirectory } = config.rules
  return ruleMaker({ pool, verdicts, rules, clock: systemClock, timeToLiveMs, benignDirectory })
}

function announce(
  rule: Rule,
  { decision, reasons }: RuleDecision,
  { log, telemetry }: OpenRulesParts,
): void {
  telemetry.ruleGenerated()
  const { rule_id, confidence, action } = rule
  log.warn("a rule was made", {
    rule_id,
    action,
    confidence,
    decision,
    reasons: reasons.join("; "),
  })
}

function originOf({ subject, task }: RuleOrder): RuleOrigin {
  const address = task.verdict?.context.attacker_ip
  return { location: subject.location, ...(address !== undefined && { address }) }
}
