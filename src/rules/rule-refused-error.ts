import { SentinelError } from "../errors.ts"

/** A rule that must not reach a WAF: its pattern is outside of the subset, unsafe or too general. */
export class RuleRefusedError extends SentinelError {
  readonly code = "RULE_REFUSED"
  constructor(problem: string) {
    super(`rule refused: ${problem}`, { retryable: false, field: "rule.match.pattern" })
  }
}

/** No rule is made for an exploit that one which is decided about blocks already. */
export class RuleCoveredError extends SentinelError {
  readonly code = "RULE_COVERED"
  constructor() {
    super("a rule covers the exploit already", { retryable: false })
  }
}
