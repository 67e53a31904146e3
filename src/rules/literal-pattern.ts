import { parsePattern } from "./pattern/parse-pattern.ts"
import type { Pattern } from "./pattern/pattern.ts"

/**
 * The one text that a pattern matches; undefined for one that matches several. A `string` rule says
 * the same and costs a WAF less.
 */
export function literalOf(pattern: string): string | undefined {
  const characters = partsOf(parsePattern(pattern)).map(onlyCharacter)
  return characters.includes(undefined) ? undefined : characters.join("")
}

function partsOf(pattern: Pattern): readonly Pattern[] {
  return pattern.kind === "sequence" ? pattern.parts : [pattern]
}

function onlyCharacter(part: Pattern): string | undefined {
  if (part.kind !== "set" || part.set.hasOthers) return undefined
  const [only, ...others] = part.set.codes()
  return only === undefined || others.length > 0 ? undefined : String.fromCharCode(only)
}
