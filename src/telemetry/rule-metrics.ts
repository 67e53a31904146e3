import { counter, gauge, type Registry } from "./metrics.ts"

/** What is known of the rules at the moment of a scrape. */
export interface RuleGauges {
  /** Rules that are kept, by state. */
  readonly states: Readonly<Record<string, number>>
  /** undefined where no Gatekeeper is configured. */
  readonly isDrifting: boolean | undefined
}

export function createRuleMetrics(registry: Registry) {
  const generated = counter(registry, {
    name: "cerberus_rules_generated_total",
    help: "Rules generated.",
  })
  const applied = counter(registry, {
    name: "cerberus_rules_applied_total",
    help: "Rules that Gatekeeper took over, read back from it.",
  })
  const refused = counter(registry, {
    name: "cerberus_rules_refused_total",
    help: "Proven exploits that no rule was made for, by why.",
    labels: ["code"],
    known: [{ code: "RULE_REFUSED" }, { code: "RULE_COVERED" }, { code: "WORKER_FAILED" }],
  })
  return {
    ruleGenerated: (): void => generated.inc(),
    ruleApplied: (): void => applied.inc(),
    ruleRefused: (code: string): void => refused.inc({ code }),
    watchRules: exposeRules(registry),
  }
}

function exposeRules(registry: Registry): (reader: () => RuleGauges) => void {
  let read: (() => RuleGauges) | undefined
  gauge(registry, {
    name: "cerberus_rules",
    help: "Rules that are kept, by state.",
    labels: ["state"],
    read: () => Object.entries(read?.().states ?? {}).map(([state, count]) => [{ state }, count]),
  })
  gauge(registry, {
    name: "cerberus_gatekeeper_drift",
    help: "1 while Gatekeeper does not hold the decided rules, or does not answer; 0 else.",
    read: () => (read?.().isDrifting === true ? 1 : 0),
  })
  return (reader) => {
    read = reader
  }
}
