import type { Rule } from "../rule.ts"
import { inspectedText, sendingsOf } from "./sendings.ts"

/** Says of a text whether a rule matches it in every way in which a client may send it. */
export function matchesEverySending(rule: Rule, location: string): (text: string) => boolean {
  const isMatch = matcherOf(rule.match)
  return (text) => sendingsOf(text, location).map(inspectedText).every(isMatch)
}

/** As Gatekeeper searches: a pattern by its regex, a string as it stands. */
export function matcherOf({ type, pattern }: Rule["match"]): (inspected: string) => boolean {
  if (type === "string") return (inspected) => inspected.includes(pattern)
  if (type === "header_combo") return () => false
  const regex = new RegExp(pattern, "u")
  return (inspected) => regex.test(inspected)
}
