import { SentinelError } from "../errors.ts"

/** A rule that must not reach a WAF: its pattern is outside of the subset, unsafe or too general. */
export class RuleRefusedError extends SentinelError {
  readonly code = "RULE_REFUSED"
  constructor(problem: string) {
    super(`rule refused: ${problem}`, { retryable: false, field: "rule.match.pattern" })
  }
}
