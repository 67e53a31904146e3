// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shell syntax, not templates
import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { Normalizer, TEXT_CHARS_MAX } from "../../../src/ml/text/normalize.ts"

const normalizer = new Normalizer()

function normalized(text: string): string {
  return normalizer.normalize(text).toString()
}

describe("Normalizer", () => {
  test.each([
    ["three layers of url encoding", "%252527%20or", "' or"],
    ["%u escapes", "%u0027 or", "' or"],
    ["backslash escapes", "\\x3cscript\\u003e", "<script>"],
    ["html entities, named and numeric", "&lt;script&#62;&#x0000061;&colon;", "<script>a:"],
    ["bare entities", "&lt&gt", "<>"],
    ["overlong UTF-8", "%c0%ae%c0%ae%c0%af", "../"],
    ["full-width characters", "＜ｓｃｒｉｐｔ＞", "<script>"],
    ["full-width characters behind url encoding", "%EF%BC%9Cb", "<b"],
    ["NUL bytes", "a\u0000b%00c", "abc"],
    ["filler comments", "union/**/select/*x y*/1", "union select 1"],
    ["version comments", "/*!50000union*/", " union*/"],
    ["case", "UnIoN SELECT", "union select"],
    ["runs of white space", "a \t b\r\n\n c", "a b\nc"],
    ["plus as blank where there is no other", "union+select", "union select"],
    ["the shell's $IFS", "cat${IFS}x$IFS$9y$IFSz", "cat x y z"],
    ["empty quotes inside a word", "wh''oa\"\"mi", "whoami"],
  ])("normalize undoes %s", (_, text, expected) => {
    expect(normalized(text)).toBe(expected)
  })

  test.each([
    ["plus beside blanks", "c++ and a+b", "c++ and a+b"],
    ["a comment that holds code", "/*' or 1=1 #*/", "/*' or 1=1 #*/"],
    ["percent signs that escape nothing", "100% sure %zz %", "100% sure %zz %"],
    ["other scripts", "日本 café", "日本 café"],
    ["an entity that is none", "a&lang=en&x;", "a&lang=en&x;"],
  ])("normalize keeps %s", (_, text, expected) => {
    expect(normalized(text)).toBe(expected)
  })

  test("normalize counts what it undid", () => {
    normalizer.normalize("%2527 %c0%ae &lt; %u0041 \\x41 ａ \u0000 a/**/b A")
    const { percent, rounds, overlong, entity, percentU, backslash, fullWidth, nul, comment } =
      normalizer.undone
    expect({
      percent,
      rounds,
      overlong,
      entity,
      percentU,
      backslash,
      fullWidth,
      nul,
      comment,
    }).toEqual({
      percent: 4,
      rounds: 2,
      overlong: 1,
      entity: 1,
      percentU: 1,
      backslash: 1,
      fullWidth: 1,
      nul: 1,
      comment: 1,
    })
  })

  test("normalize maps every byte to the stretch it came from", () => {
    const text = normalizer.normalize("a%2527B&lt;")
    const spans = Array.from({ length: text.length }, (_, i) => [text.starts[i], text.ends[i]])
    expect(spans).toEqual([
      [0, 1],
      [1, 6],
      [6, 7],
      [7, 11],
    ])
  })

  test("normalize keeps its source map in order and inside the text, whatever the text", () => {
    const alphabet = fc.constantFrom(..."%&#;\\xu/*'\"+ $IFS{}0a27cAlt\u0000\n<é＜\ud800")
    fc.assert(
      fc.property(fc.string({ unit: alphabet, maxLength: 200 }), (text) => {
        const { length, starts, ends } = normalizer.normalize(text)
        for (let i = 0; i < length; i++) {
          const [start = -1, end = -1] = [starts[i], ends[i]]
          expect(start).toBeGreaterThanOrEqual(i === 0 ? 0 : (starts[i - 1] ?? 0))
          expect(end).toBeGreaterThan(start)
          expect(end).toBeLessThanOrEqual(text.length)
        }
      }),
    )
  })

  test("normalize reverses url encoding of any text without escapes of its own", () => {
    const plain = fc.string({ unit: "grapheme" }).filter((text) => !/[%&\\+/$'"]/.test(text))
    fc.assert(
      fc.property(plain, (text) => {
        const once = encodeURIComponent(text)
        expect(normalized(once)).toBe(normalized(text))
        expect(normalized(encodeURIComponent(once))).toBe(normalized(text))
      }),
    )
  })

  test("normalize reads no more than TEXT_CHARS_MAX characters, also of the worst text", () => {
    for (const unit of ["%25", "/*", "&#x", "日", "\\u", "''"]) {
      const text = unit.repeat(TEXT_CHARS_MAX)
      const { length, ends } = normalizer.normalize(text)
      expect(ends[length - 1]).toBeLessThanOrEqual(TEXT_CHARS_MAX)
    }
  })
})
