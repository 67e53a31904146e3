import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { PAYLOAD_KINDS, type PayloadKind } from "../../../src/events.ts"
import { FIELDS_MAX } from "../../../src/ml/fields/field.ts"
import { splitFields } from "../../../src/ml/fields/split-fields.ts"

/** Kind, name and text of each field, as one line each. */
function linesOf(text: string, kind?: PayloadKind): readonly string[] {
  return splitFields(text, kind).map((field) => `${field.kind} ${field.name ?? "-"} ${field.text}`)
}

const MULTIPART = [
  "--xx",
  'Content-Disposition: form-data; name="f"; filename="a.php"',
  "Content-Type: text/plain",
  "",
  "two\r\nlines",
  "--xx--",
].join("\r\n")

describe("splitFields", () => {
  test.each<readonly [string, PayloadKind | undefined, readonly string[]]>([
    ["/a/b?x=1&y=%20q&z", "request", ["path - /a/b", "param x 1", "param y %20q", "param - z"]],
    ["https://h.example/p?q=1", "param", ["path - /p", "param q 1"]],
    ["a=1&b=2", "param", ["param a 1", "param b 2"]],
    ["a=1", "body", ["param a 1"]],
    ["?a=1", undefined, ["param a 1"]],
    ["a=1; b=2", "cookie", ["cookie a 1", "cookie b 2"]],
    ['{"a": ["b", {"c": "d"}], "n": 7}', "body", ["param a b", "param c d"]],
    [MULTIPART, "body", ["param - a.php", "param f two\r\nlines"]],
    [
      "POST /p?a=1 HTTP/1.1\r\nHost: h\r\nCookie: s=1; t=2\r\n\r\nq=3&r=4",
      "request",
      [
        "path - /p",
        "param a 1",
        "header Host h",
        "cookie s 1",
        "cookie t 2",
        "param q 3",
        "param r 4",
      ],
    ],
  ])("splitFields tells the fields of %j apart", (text, kind, fields) => {
    expect(linesOf(text, kind)).toEqual(fields)
  })

  test.each([
    ["%u escapes", "a%u003d1%u0026b%u003d2"],
    ["backslash u escapes", "a\\u003d1\\u0026b\\u003d2"],
    ["backslash x escapes", "a\\x3d1\\x26b\\x3d2"],
    ["octal escapes", "a\\0751\\046b\\0752"],
    ["overlong UTF-8", "a%c0%bd1%c0%a6b%c0%bd2"],
    ["full-width characters", "ａ＝１＆ｂ＝２"],
    ["NUL between the characters", "a\0=\x001\0&\0b\0=\x002"],
  ])("splitFields splits a form that is written in %s", (_, text) => {
    expect(linesOf(text, "body")).toEqual(["param a 1", "param b 2"])
    for (const { start, end, text: value } of splitFields(text, "body")) {
      expect(text.slice(start, end).normalize("NFKC")).toContain(value)
    }
  })

  test("splitFields takes the padding of base64 for no empty field", () => {
    expect(linesOf("aGVsbG8gd29ybGQ=", "body")).toEqual([])
    expect(linesOf("aGVsbG8gd29ybA==", "body")).toEqual([])
  })

  test("splitFields opens JSON in a query, and a URL in that JSON", () => {
    const json = JSON.stringify({ to: "/go?u=é&v=\u{1f600}" })
    const text = `/x?data=${encodeURIComponent(json)}&b=1`
    expect(linesOf(text, "request")).toEqual([
      "path - /x",
      "path - /go",
      "param u é",
      "param v \u{1f600}",
      "param b 1",
    ])
    const spans = splitFields(text, "request").map(({ start, end }) => text.slice(start, end))
    expect(spans).toEqual(["/x", "%2Fgo", "%C3%A9", "%F0%9F%98%80", "1"])
  })

  test("splitFields unescapes JSON strings and keeps where each character stood", () => {
    const text = String.raw`{"a":"x\u0027\ny"}`
    const [field] = splitFields(text, "body")
    expect(field?.text).toBe("x'\ny")
    expect(text.slice(field?.start, field?.end)).toBe(String.raw`x\u0027\ny`)
    const { source } = field ?? {}
    expect([0, 1, 2, 3].map((at) => source?.position(at))).toEqual([6, 7, 13, 15])
  })

  test.each([
    ["percent-encoded", encodeURIComponent],
    ["percent-encoded twice", (text: string) => encodeURIComponent(encodeURIComponent(text))],
    [
      "written in entities",
      (text: string) => text.replace(/[^a-z0-9]/g, (c) => `&#${c.charCodeAt(0)};`),
    ],
    [
      "full-width",
      (text: string) =>
        text.replace(/[!-~]/g, (c) => String.fromCharCode(c.charCodeAt(0) + 0xfee0)),
    ],
  ])("splitFields opens a request that is %s as a whole", (_, encoded) => {
    const text = encoded("/p?a=1&b=x y")
    const fields = splitFields(text, "request")
    expect(fields.map((field) => field.text)).toEqual(["/p", "1", "x y"])
    expect(text.slice(fields[2]?.start, fields[2]?.end)).toBe(encoded("x y"))
  })

  test("splitFields judges a path that is encoded as a whole by what it says", () => {
    expect(linesOf("%2Fa%2Fb.html", "request")).toEqual(["path - /a/b.html"])
    expect(linesOf("%2Fa%2Fb.html", "param")).toEqual([])
    expect(linesOf("/a/b.html", "request")).toEqual([])
  })

  test.each([
    ["\u0001{&quot;a&quot;:&quot;b&quot;}", ["param a b"]],
    [String.raw`\u007b"a":"b"}`, ["param a b"]],
    ["na%6de%3D1&b=2", ["param name 1", "param b 2"]],
    ["name&#61;1&b=2", ["param name 1", "param b 2"]],
    ["ht\0tp://h.example/?q=1", ["param q 1"]],
    ["\uff0fa?q=1", ["path - /a", "param q 1"]],
  ])("splitFields opens %j, whose beginning is spelt in another way", (text, fields) => {
    expect(linesOf(text)).toEqual(fields)
  })

  test("splitFields leaves entities whole, and takes &amp; for a separator", () => {
    expect(linesOf("/?a=1&#39;x&amp;b=2&c=&lt;", "request")).toEqual([
      "param a 1&#39;x",
      "param b 2",
      "param c &lt;",
    ])
  })

  test("splitFields makes a field of a name that no application chose", () => {
    expect(linesOf("/?a'or'1=2&b=3", "request")).toEqual([
      "param - a'or'1",
      "param a'or'1 2",
      "param b 3",
    ])
  })

  test("splitFields keeps the names that applications chose apart from operators", () => {
    expect(linesOf("ctl00$Main$q=1&user[name]=2&q[$ne]=3", "body")).toEqual([
      "param ctl00$Main$q 1",
      "param user[name] 2",
      "param - q[$ne]",
      "param q[$ne] 3",
    ])
  })

  test("splitFields opens a JSON document that is cut off", () => {
    expect(linesOf('[{"a": "b", "c": "d e', "body")).toEqual(["param a b", "param c d e"])
  })

  test.each([
    ["a quiet evening", "param"],
    ["1=1", "param"],
    ["' or a='b' && c='d", "param"],
    ["Note: nothing here is a header", "body"],
    ["{{7*7}}", "param"],
    ["--", "param"],
    ["", "request"],
  ] as const)("splitFields finds no fields in %j (%s)", (text, kind) => {
    expect(splitFields(text, kind)).toEqual([])
  })

  test("splitFields bounds the number of fields and the depth of structures", () => {
    expect(splitFields("a=1&".repeat(5_000), "body")).toHaveLength(FIELDS_MAX)
    let nested = "deep"
    for (let level = 0; level < 8; level++) nested = JSON.stringify({ a: nested })
    const fields = splitFields(nested, "body")
    expect(fields).toHaveLength(1)
    expect(fields[0]?.text).toStartWith('{"a":')
  })

  test("splitFields answers spans within any text, and of texts that say the same", () => {
    const pieces = fc.constantFrom(
      ...'/ ? & = ; { } [ ] " \\ %22 %7B %7D %25 : , \r\n -- \\u0022 \\U0022 \\T &amp; &#61; &#0; &#x3f; &#9999999; ＝ ？ é \ud83d\ude00 \ud800'.split(
        " ",
      ),
      ...["GET /", "http://h/", "Content-Disposition: x; name=a\r\n\r\n", " ", '{"a":"b"}', "a=b"],
    )
    const texts = fc.array(fc.oneof(pieces, fc.string({ maxLength: 4 })), { maxLength: 24 })
    const holds = (parts: readonly string[], kind: PayloadKind | undefined): void => {
      const text = parts.join("")
      for (const field of splitFields(text, kind)) {
        expect(field.start).toBeWithin(0, text.length)
        expect(field.end).toBeWithin(field.start + 1, text.length + 1)
        const raw = text.slice(field.start, field.end)
        if (!/[%\\&＝？]/.test(raw)) expect(field.text).toBe(raw)
      }
    }
    const kinds = fc.option(fc.constantFrom(...PAYLOAD_KINDS), { nil: undefined })
    fc.assert(fc.property(texts, kinds, holds), { numRuns: 2_000 })
  })
})
