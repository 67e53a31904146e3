import { describe, expect, test } from "bun:test"
import { parsePattern } from "../../../src/rules/pattern/parse-pattern.ts"
import { printPattern } from "../../../src/rules/pattern/print-pattern.ts"
import { trimEnds } from "../../../src/rules/pattern/trim-ends.ts"

describe("trimEnds", () => {
  const TRIMMED = [
    ["a{0,3}bc{2,5}", "bc{2}"],
    ["a?(?:b?c|d{1,4})", "(?:c|d)"],
    ["(?:a?b)c{0,2}d?", "b"],
    ["(?:a?|b)c", "c"],
    ["ab{0,2}c", "ab{0,2}c"],
  ] as const
  for (const [pattern, trimmed] of TRIMMED) {
    test(`trimEnds writes ${pattern} as what finds the same texts`, () => {
      expect(printPattern(trimEnds(parsePattern(pattern)))).toBe(
        printPattern(parsePattern(trimmed)),
      )
    })
  }
})
