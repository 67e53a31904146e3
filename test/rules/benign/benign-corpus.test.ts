import { describe, expect, test } from "bun:test"
import { benignCorpus } from "../../../src/rules/benign/benign-corpus.ts"
import { BENIGN_LINES, generatedBenign } from "../../../src/rules/benign/generated-benign.ts"

describe("benignCorpus", () => {
  test("meets finds a text in its query and in its JSON, not across two texts", () => {
    const corpus = benignCorpus("test", ['say "é"', "then"])
    expect(corpus.meets(/q=say%20%22/u)).toBe(true)
    expect(corpus.meets(/say \\"é\\"/u)).toBe(true)
    expect(corpus.meets(/é[^\0]{0,40}then/u)).toBe(false)
    expect(corpus.count).toBe(2)
  })

  test("meets answers the same in any order of questions, over many stretches", () => {
    const texts = Array.from({ length: 3_000 }, (_, index) => `text ${index} ${"x".repeat(200)}`)
    const corpus = benignCorpus("test", texts)
    for (const index of [2_999, 0, 1_500, 2_999]) {
      expect(corpus.meets(new RegExp(`text ${index} x`, "u"))).toBe(true)
    }
    expect(corpus.meets(/text 3000 x/u)).toBe(false)
  })

  test("meets searches only texts that hold a part, and all of them where too many do", () => {
    const texts = Array.from(
      { length: 6_000 },
      (_, index) => `${index % 100 ? "" : "rare "}n${index}`,
    )
    const corpus = benignCorpus("test", [...texts, "rare end é"])
    for (const parts of [["rare"], ["n[0-9]"], ["n[0-9]", "rare"], []]) {
      expect(corpus.meets(/rare n4200 /u, parts)).toBe(true)
      expect(corpus.meets(/rare n4201 /u, parts)).toBe(false)
    }
    expect(corpus.meets(/end/u, ["é"])).toBe(true)
    const unsearched = benignCorpus("test", texts)
    expect(unsearched.meets(/rare n4200 /u, ["absent"])).toBe(false)
  })

  test("meets answers the same whatever it was asked before", () => {
    const texts = Array.from({ length: 300 }, (_, index) => `text n${index} é`)
    const corpus = benignCorpus("test", texts)
    const patterns = texts.map((_, index) => new RegExp(`n${index} `, "u"))
    for (const pattern of [...patterns, ...patterns.toReversed()]) {
      expect(corpus.meets(pattern)).toBe(true)
    }
    expect(corpus.meets(/n300 /u)).toBe(false)
  })

  test("a text is cut, so that no corpus grows beyond its count", () => {
    const corpus = benignCorpus("test", [`${"a".repeat(10_000)}end`])
    expect(corpus.meets(/end/u)).toBe(false)
  })
})

describe("generatedBenign", () => {
  test("generatedBenign gives the stated number of lines, the same for the same seed", () => {
    const lines = [...generatedBenign({ ...BENIGN_LINES, count: 500 })]
    expect(lines).toHaveLength(500)
    expect([...generatedBenign({ ...BENIGN_LINES, count: 500 })]).toEqual(lines)
    expect([...generatedBenign({ seed: 1, count: 500 })]).not.toEqual(lines)
  })
})
