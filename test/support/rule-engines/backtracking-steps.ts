import { parsePattern } from "../../../src/rules/pattern/parse-pattern.ts"
import { positionsOf } from "../../../src/rules/pattern/positions.ts"

/**
 * Characters that a search by backtracking looks at, with no memory of where it was: from every
 * start of the text along every way through the pattern, until one matches.
 */
export function backtrackingSteps(pattern: string, text: string): number {
  const { sets, first, follow, last } = positionsOf(parsePattern(pattern), Number.POSITIVE_INFINITY)
  const ends = new Set(last)
  const codes = Array.from(text, (character) => character.codePointAt(0) ?? 0)
  let steps = 0
  const matches = (next: readonly number[], at: number): boolean => {
    const code = codes[at]
    if (code === undefined) return false
    for (const position of next) {
      steps += 1
      if (sets[position]?.has(code) !== true) continue
      if (ends.has(position) || matches(follow[position] ?? [], at + 1)) return true
    }
    return false
  }
  for (let start = 0; start < codes.length; start++) if (matches(first, start)) break
  return steps
}
