import { RULE_ACTIONS, RULE_LOCATIONS, type Rule } from "../rule.ts"
import { checkPattern, MATCH_CHARACTERS_MIN } from "./pattern/check-pattern.ts"
import { RuleRefusedError } from "./rule-refused-error.ts"

const RULE_ID = /^[A-Za-z0-9_-]{1,64}$/
const STRING_CHARACTERS_MAX = 1_024

/**
 * Everything that must hold of a rule before it is sent: Gatekeeper checks little, and a pattern that
 * does not compile there breaks every inspection.
 * @throws RuleRefusedError with the reason
 */
export function checkRule(rule: Rule): void {
  const { match } = rule
  if (!RULE_ID.test(rule.rule_id)) throw new RuleRefusedError("its id is not [A-Za-z0-9_-]")
  if (!(rule.confidence >= 0 && rule.confidence <= 1)) {
    throw new RuleRefusedError("its confidence is not from 0 to 1")
  }
  if (!RULE_ACTIONS.includes(rule.action)) throw new RuleRefusedError("its action is unknown")
  if (match.location.length === 0) throw new RuleRefusedError("it names no location")
  if (!match.location.every((location) => RULE_LOCATIONS.includes(location))) {
    throw new RuleRefusedError("a location is unknown")
  }
  checkMatch(match)
}

function checkMatch({ type, pattern, flags }: Rule["match"]): void {
  if (type === "header_combo") throw new RuleRefusedError("Gatekeeper never matches a header_combo")
  if (type === "regex") {
    // what folds beyond ASCII differs between engines, so cases are written out
    if (flags.caseless) throw new RuleRefusedError("a caseless pattern folds beyond ASCII")
    checkPattern(pattern)
    return
  }
  if (pattern.length < MATCH_CHARACTERS_MIN || pattern.length > STRING_CHARACTERS_MAX) {
    throw new RuleRefusedError(
      `a string must have ${MATCH_CHARACTERS_MIN} to ${STRING_CHARACTERS_MAX} characters`,
    )
  }
}
