import type { RuleMatch } from "../rule.ts"
import { inspectedText, sendingsOf } from "./sendings.ts"

/** Whether a text that Gatekeeper inspects is matched, as Gatekeeper would say. */
export function ruleMatcher({ type, pattern }: RuleMatch): (text: string) => boolean {
  if (type !== "regex") return (text) => text.includes(pattern)
  const regex = new RegExp(pattern, "u")
  return (text) => regex.test(text)
}

/** True where the rule blocks a payload in every way in which a client may send it. */
export function coversPayload(
  match: RuleMatch,
  { value, location }: { readonly value: string; readonly location: string },
): boolean {
  const matches = ruleMatcher(match)
  return sendingsOf(value, location).every((request) => matches(inspectedText(request)))
}
