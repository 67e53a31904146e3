import type { RuleStore } from "../../ports/rules.ts"
import type { Rule, StoredRule } from "../../rule.ts"
import { decodedAscii } from "../../rules/make-pattern.ts"
import { isOpenAgain } from "../../rules/policy/rule-states.ts"
import { coversPayload } from "../../rules/rule-matcher.ts"
import type { SimulatedClass } from "../../twin-protocol.ts"

export interface Exploit {
  readonly class: SimulatedClass
  readonly value: string
  readonly location: string
}

const SETTLED = ["pending_review", "logged_only", "approved", "active", "rejected"] as const

/**
 * The rule that settles an exploit: one that covers it, whatever was decided about that rule. A rule
 * that is only logged settles its own exploit and no other: another may lead to a better one. What was
 * proposed without a proof settles nothing, and neither does what expired by itself.
 */
export function coveringRule(
  store: Pick<RuleStore, "inStates">,
  exploit: Exploit,
): StoredRule | undefined {
  return store
    .inStates([...SETTLED, "expired"])
    .filter((stored) => !isOpenAgain(stored))
    .filter(({ rule, state }) => state !== "logged_only" || isMadeFrom(rule, exploit))
    .find(
      ({ rule }) =>
        rule.evidence.attack_type === exploit.class && coversPayload(rule.match, exploit),
    )
}

/** The first sample is the exploit that the rule was made from, decoded, and cut where it is long. */
function isMadeFrom({ evidence }: Rule, { value }: Exploit): boolean {
  const [sample = ""] = evidence.sample_payloads
  return sample !== "" && [value, decodedAscii(value)].some((text) => text.startsWith(sample))
}
