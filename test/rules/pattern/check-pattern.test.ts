import { describe, expect, test } from "bun:test"
import { checkPattern } from "../../../src/rules/pattern/check-pattern.ts"
import { RuleRefusedError } from "../../../src/rules/rule-refused-error.ts"

/** Each with words of the reason, so that a pattern is not refused for something else. */
const REFUSED: readonly (readonly [pattern: string, reason: string])[] = [
  ["", "fewer than 3"],
  ["ab", "fewer than 3"],
  ["a{0,3}b{0,3}c{0,3}", "fewer than 3"],
  ["union.select", "operator outside"],
  ["union.*select", "operator outside"],
  ["union[ ]+select", "operator outside"],
  ["union[ ]*select", "operator outside"],
  ["^union", "operator outside"],
  ["union$", "operator outside"],
  ["(union)select", "operator outside"],
  ["(?=union)select", "operator outside"],
  ["(?!union)select", "operator outside"],
  ["(?<=a)select", "operator outside"],
  ["(?<name>select)", "operator outside"],
  ["(?P<name>select)", "operator outside"],
  ["(?i)select", "operator outside"],
  ["(?i:select)", "operator outside"],
  ["(?>select)", "operator outside"],
  ["union\\sselect", "escape outside"],
  ["\\d\\d\\d\\d", "escape outside"],
  ["\\wselect", "escape outside"],
  ["\\bselect\\b", "escape outside"],
  ["\\Bselect", "escape outside"],
  ["\\Aselect", "escape outside"],
  ["select\\Z", "escape outside"],
  ["\\p{L}select", "escape outside"],
  ["\\u0073elect", "escape outside"],
  ["\\x{73}elect", "escape outside"],
  ["\\x80select", "escape outside"],
  ["\\nselect", "escape outside"],
  ["(?:abc)\\1", "escape outside"],
  ["sel\\", "escape outside"],
  ["a{3,65}bcd", "not {m,n}"],
  ["a{3,}bcd", "not {m,n}"],
  ["a{,3}bcd", "not {m,n}"],
  ["a{5,3}bcd", "not {m,n}"],
  ["a{0}bcd", "not {m,n}"],
  ["abc{", "not {m,n}"],
  ["abc??", "repeat of a repeat"],
  ["abc{1,2}?", "repeat of a repeat"],
  ["abc{1,2}+", "repeat of a repeat"],
  ["abc{1,2}{3}", "repeat of a repeat"],
  ["abc)", "closes nothing"],
  ["(?:abc", "not closed"],
  ["[z-a]bcd", "runs backwards"],
  ["[]bcd", "empty class"],
  ["[a[b]cde", "not escaped"],
  ["[a&&^b]cde", "not escaped"],
  ["[[:alpha:]]bcd", "not escaped"],
  ["sélect", "not printable ASCII"],
  ["sel\tect", "not printable ASCII"],
  ["abc[ ]{0,8}[ ]{0,8}d", "more than one way"],
  ["abc[a-z]{0,8}[a-c]{1,8}", "more than one way"],
  ["abc(?:[a-z]{1,8}-?){1,9}d", "more than one way"],
  ["(?:abc|abc)d", "more than one way"],
  ["xyz|abc[ ]{0,8}[ ]{0,8}d", "more than one way"],
  ["(?:[a-c]x|bx)ef", "more than one way"],
  ["ab?b?cd", "more than one way"],
  ["abc(?:a{1,3}|a{2,4})b", "more than one way"],
  ["(?:a{0,3}){1,3}bcd", "may be empty"],
  ["(?:a?|bcd){1,2}efg", "may be empty"],
  ["(?:a(?:ab{60}){60}){3}", "more than 8192"],
  ["(?:(?:(?:ab?c){14}d){14}e){14}", "more than 8192"],
  ["x".repeat(8_193), "longer than 8192"],
  [`${"(?:a".repeat(17)}${")".repeat(17)}`, "nested deeper"],
]

describe("checkPattern", () => {
  for (const [pattern, reason] of REFUSED) {
    test(`checkPattern refuses ${JSON.stringify(pattern.slice(0, 40))}: ${reason}`, () => {
      expect(() => checkPattern(pattern)).toThrow(RuleRefusedError)
      expect(() => checkPattern(pattern)).toThrow(reason)
    })
  }

  test("checkPattern refuses repeats that RE2 would refuse, however short their match", () => {
    expect(() => checkPattern("abc(?:(?:d{11}){11}){11}")).toThrow("within repeats")
  })

  test("checkPattern measures the shortest and the longest match", () => {
    const { shortest, longest } = checkPattern("[uU][nN](?:ion|iq){2,5}[ ]?x")
    expect([shortest, longest]).toEqual([7, 19])
  })

  test("checkPattern accepts ways that part and never meet again", () => {
    for (const pattern of [
      "(?:[ +]|%20|%09){0,16}(?:'|%27)xy",
      "a(?:b{2,8}c|bd)e?",
      "ab{2,64}c",
      "(?:a{20}b|a{20}c)d",
      "x[a-z]{0,30}abcd",
    ]) {
      expect(checkPattern(pattern).longest).toBeGreaterThan(0)
    }
  })

  test("checkPattern names the character at which it stopped, and echoes nothing", () => {
    expect(() => checkPattern("abc\\d")).toThrow("at character 4")
    expect(() => checkPattern("<script>\\w")).not.toThrow("script")
  })
})
