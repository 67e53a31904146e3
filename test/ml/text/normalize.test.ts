// biome-ignore-all lint/suspicious/noTemplateCurlyInString: shell syntax, not templates
import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { generatePayloads } from "../../../src/ml/generators/payloads.ts"
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
    ["bare entities", "&lt&gt &quot1&ampx&quota", '<> "1&ampx&quota'],
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
    ["octal escapes", "\\143\\141\\164 /etc", "cat /etc"],
    ["braced escapes", "\\u{3c}b\\x{3e}", "<b>"],
    ["full-width percent signs and blanks", "％2e％2e/a", "../a"],
    ["look-alikes", "\u2018 or \u2215etc\u2044x \u2039script\u203a", "' or /etc/x <script>"],
    ["mathematical letters", "\u{1d42c}\u{1d41c}\u{1d42b}\u{1d422}\u{1d429}\u{1d42d}", "script"],
    ["string concatenation", "'adm'||'in' \"ja\"+\"va\" 'sc' 'ript'", "'admin' \"java\" 'script'"],
    ["character codes", "CHAR(97, 98,99)", "char('abc')"],
    ["fromCharCode", "String.fromCharCode(88,83,83)", "string.fromcharcode('xss')"],
    [
      "base64 that is text",
      "x PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg== y",
      "x <script>alert(1)</script> y",
    ],
    ["hexadecimal that is text", "0x2f6574632f706173737764", "/etc/passwd"],
    ["url encoding inside base64", "JTNDc2NyaXB0JTNF", "<script>"],
    [
      "base64 of other scripts",
      btoa("\xd9\x85\xd8\xb1\xd8\xad <script>"),
      "\u0645\u0631\u062d <script>",
    ],
    ["wide characters inside base64", "77ycc2NyaXB077yeYWJj", "<script>abc"],
    ["NUL between quotes and dots", "'\0'\0/\0*\0*\0/%00.%00.", "'' .."],
    ["plus as blank in a layer that others lie on", "a\\x2bb%2520c", "a b c"],
  ])("normalize undoes %s", (_, text, expected) => {
    expect(normalized(text)).toBe(expected)
  })

  test.each([
    ["plus beside blanks", "c++ and a+b", "c++ and a+b"],
    ["a comment that holds code", "/*' or 1=1 #*/", "/*' or 1=1 #*/"],
    ["percent signs that escape nothing", "100% sure %zz %", "100% sure %zz %"],
    ["other scripts", "日本 café", "日本 café"],
    ["an entity that is none", "a&lang=en&x;", "a&lang=en&x;"],
    ["a digest", "d41d8cd98f00b204e9800998ecf8427e", "d41d8cd98f00b204e9800998ecf8427e"],
    ["long words", "internationalization/of/things", "internationalization/of/things"],
    ["numbers in a call", "color(97,98,99)", "color(97,98,99)"],
    ["quoted words in a list", "'a', 'b' or 'c'", "'a', 'b' or 'c'"],
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

  test("normalize leaves alone what it has put out", () => {
    for (const { text } of generatePayloads({ seed: 41, count: 1_500 })) {
      const once = normalized(text)
      const { rounds, nul, shell } = normalizer.undone
      // Lower case or a dropped character can make an escape of what was none.
      if (rounds > 1 || nul > 0 || shell > 0 || text.includes("\\")) continue
      expect(normalized(once)).toBe(once)
    }
  })

  test("normalize gives the same for a text in any one encoding", () => {
    const text = "<script>alert(document.cookie)</script>' union select 1 -- ;cat /etc/passwd"
    const bytes = [...new TextEncoder().encode(text)]
    const spelt = (spell: (byte: number) => string) => bytes.map(spell).join("")
    const hexadecimal = (byte: number) => byte.toString(16).padStart(2, "0")
    for (const encoded of [
      spelt((byte) => `%${hexadecimal(byte)}`),
      encodeURIComponent(encodeURIComponent(text)),
      spelt((byte) => `&#${byte};`),
      spelt((byte) => `&#x${byte.toString(16)};`),
      spelt((byte) => `%u00${hexadecimal(byte)}`),
      spelt((byte) => `\\x${hexadecimal(byte)}`),
      spelt((byte) => `\\u00${hexadecimal(byte)}`),
      spelt((byte) => `\\${byte.toString(8).padStart(3, "0")}`),
      spelt((byte) => (byte > 0x20 ? String.fromCharCode(byte + 0xfee0) : " ")),
      btoa(text),
      `0x${spelt(hexadecimal)}`,
      text.toUpperCase(),
      text.replaceAll(" ", "/**/"),
      text.replaceAll(" ", "\t \f"),
      text.split("").join("\0"),
    ]) {
      expect(normalized(encoded)).toBe(normalized(text))
    }
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
    const alphabet = fc.constantFrom(..."%&#;\\xu/*'\"+| (),$IFS{}0a27cAlt\u0000\n<é＜\ud800")
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
    for (const unit of ["%25", "/*", "&#x", "日", "\\u", "''", "chr(9)", "QUJD", "a'||", "41"]) {
      const text = unit.repeat(TEXT_CHARS_MAX)
      const { length, ends } = normalizer.normalize(text)
      expect(ends[length - 1]).toBeLessThanOrEqual(TEXT_CHARS_MAX)
    }
  })
})
