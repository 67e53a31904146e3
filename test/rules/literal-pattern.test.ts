import { describe, expect, test } from "bun:test"
import { literalOf } from "../../src/rules/literal-pattern.ts"

describe("literalOf", () => {
  test("literalOf gives the only text that a pattern matches", () => {
    expect(literalOf("a\\.b\\x09")).toBe("a.b\t")
  })

  test("literalOf gives none where there are several", () => {
    for (const pattern of ["a[bc]", "abc?", "ab|cd", "a[^b]", "(?:ab){2}"]) {
      expect(literalOf(pattern)).toBeUndefined()
    }
  })
})
