import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { CharacterSet } from "../../../src/rules/pattern/character-set.ts"
import { encoded } from "../../../src/rules/pattern/encoded.ts"
import { parsePattern } from "../../../src/rules/pattern/parse-pattern.ts"
import {
  anyOf,
  characters,
  choice,
  literal,
  type Pattern,
  repeat,
  sequence,
} from "../../../src/rules/pattern/pattern.ts"
import { printPattern } from "../../../src/rules/pattern/print-pattern.ts"

const ascii = fc.string({
  unit: fc.integer({ min: 0, max: 127 }).map((c) => String.fromCharCode(c)),
  minLength: 1,
  maxLength: 6,
})
const set = fc
  .tuple(ascii, fc.boolean())
  .map(([text, isNegated]) =>
    isNegated ? CharacterSet.of(text).complement() : CharacterSet.of(text),
  )
const pattern: fc.Arbitrary<Pattern> = fc.letrec<{ tree: Pattern }>((tie) => ({
  tree: fc.oneof(
    { depthSize: "small" },
    set.map(characters),
    ascii.map(literal),
    fc.array(tie("tree"), { minLength: 1, maxLength: 3 }).map((parts) => sequence(...parts)),
    fc.array(tie("tree"), { minLength: 1, maxLength: 3 }).map((options) => choice(...options)),
    fc
      .tuple(tie("tree"), fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 3 }))
      .filter(([body]) => body.kind !== "repeat")
      .map(([body, min, more]) => repeat(body, { min, max: min + more })),
  ),
})).tree

/** What a pattern matches, by its definition: every end at which a match from `at` can stop. */
function ends(tree: Pattern, text: readonly string[], at: number): ReadonlySet<number> {
  switch (tree.kind) {
    case "set": {
      const code = text[at]?.codePointAt(0)
      return new Set(code !== undefined && tree.set.has(code) ? [at + 1] : [])
    }
    case "sequence":
      return tree.parts.reduce<ReadonlySet<number>>(
        (from, part) => all(from, part, text),
        new Set([at]),
      )
    case "choice":
      return new Set(tree.options.flatMap((option) => [...ends(option, text, at)]))
    case "repeat": {
      let from: ReadonlySet<number> = new Set([at])
      const found = new Set(tree.min === 0 ? [at] : [])
      for (let count = 1; count <= tree.max; count++) {
        from = all(from, tree.body, text)
        if (count >= tree.min) for (const end of from) found.add(end)
      }
      return found
    }
  }
}

function all(
  from: ReadonlySet<number>,
  part: Pattern,
  text: readonly string[],
): ReadonlySet<number> {
  return new Set([...from].flatMap((start) => [...ends(part, text, start)]))
}

function isFound(tree: Pattern, text: string): boolean {
  const units = Array.from(text)
  return units.concat("").some((_, at) => ends(tree, units, at).size > 0)
}

describe("printPattern and parsePattern", () => {
  test("parsePattern reads back what printPattern wrote, with the same text", () => {
    fc.assert(
      fc.property(pattern, (tree) => {
        const text = printPattern(tree)
        expect(printPattern(parsePattern(text))).toBe(text)
      }),
    )
  })

  test("printPattern writes what JavaScript matches as the tree says", () => {
    const text = fc.string({
      unit: fc.oneof(fc.constantFrom("a", "b", "'", "é", "\u{1f600}", "\n"), ascii),
      maxLength: 8,
    })
    fc.assert(
      fc.property(pattern, text, (tree, subject) => {
        const isMatch = new RegExp(printPattern(tree), "u").test(subject)
        expect(isMatch).toBe(isFound(tree, subject))
      }),
      { numRuns: 1_000 },
    )
  })
})

describe("pattern constructors", () => {
  test("encoded writes a percent sign with the 25 that each encoding appends to it", () => {
    const pattern = printPattern(encoded(CharacterSet.of("%")))
    expect(pattern).toBe("%(?:25){0,3}")
    expect("%252525".replace(new RegExp(pattern, "u"), "")).toBe("")
  })

  test("anyOf shares beginnings, so that the next character always decides", () => {
    expect(printPattern(anyOf(["%27", "%2527", "'", "%25"]))).toBe("%2(?:7|5(?:27)?)|'")
    const upperCase = (text: string) => literal(text.toUpperCase())
    expect(printPattern(anyOf(["or", "and"], upperCase))).toBe("OR|AND")
    expect(printPattern(anyOf(["=", "<", ">"]))).toBe("[<->]")
  })

  test("anyOf matches each text whole, and nothing else of their length", () => {
    const texts = fc.uniqueArray(ascii, { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(texts, ascii, (known, other) => {
        const regex = new RegExp(`^(?:${printPattern(anyOf(known))})$`, "u")
        for (const text of known) expect(regex.test(text)).toBe(true)
        expect(regex.test(other)).toBe(known.includes(other))
      }),
    )
  })
})
