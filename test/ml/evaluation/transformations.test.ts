import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { respell, TRANSFORMATIONS } from "../../../src/ml/evaluation/transformations.ts"

/** Every spelling is undone here by another decoder than Sentinel's: the platform's where it has one. */

function apply(name: string, text: string): string {
  const transformation = TRANSFORMATIONS.find((one) => one.name === name)
  if (transformation === undefined) throw new Error(`there is no transformation ${name}`)
  return transformation.apply(text)
}

function decodeEntities(text: string): string {
  const named: Record<string, string> = { lt: "<", gt: ">", amp: "&", quot: '"', apos: "'" }
  return text.replace(/&(?:#x([0-9a-f]+)|#([0-9]+)|([a-z]+));/g, (_, hex, decimal, name) =>
    name === undefined
      ? String.fromCodePoint(Number.parseInt(hex ?? decimal, hex === undefined ? 10 : 16))
      : (named[name] ?? ""),
  )
}

/** Takes two-byte sequences for what a careless decoder makes of them. */
function decodeOverlong(text: string): string {
  const plain = text.replace(/%c([01])%([89ab][0-9a-f])/g, (_, high, low) => {
    const code = (Number(high) << 6) | (Number.parseInt(low, 16) & 0x3f)
    return `%${code.toString(16).padStart(2, "0")}`
  })
  return decodeURIComponent(plain)
}

const UNDONE_BY: Readonly<Record<string, (text: string) => string>> = {
  url_once: decodeURIComponent,
  url_every_byte: decodeURIComponent,
  url_twice: (text) => decodeURIComponent(decodeURIComponent(text)),
  html_entities: decodeEntities,
  percent_u: (text) => unescape(text),
  backslash_x: (text) => unescape(text.replaceAll("\\u", "%u").replaceAll("\\x", "%")),
  backslash_u: (text) => JSON.parse(`"${text}"`),
  overlong_utf8: decodeOverlong,
}

describe("TRANSFORMATIONS", () => {
  test.each(Object.entries(UNDONE_BY))("%s is undone by a standard decoder", (name, decode) => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), (text) => {
        expect(decode(apply(name, text))).toBe(text)
      }),
    )
  })

  test("full_width is undone by compatibility normalisation, for any ASCII without escapes", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme-ascii" }), (text) => {
        const plain = text.replace(/[%&\\]/g, "")
        expect(apply("full_width", plain).normalize("NFKC")).toBe(plain)
      }),
    )
  })

  test("alternating_case and full_width leave escapes as they are", () => {
    expect(apply("alternating_case", "%3cscript&lt;\\x3c\\n")).toBe("%3cScRiPt&lt;\\x3c\\n")
    expect(apply("full_width", "%3cb&lt;")).toBe("%3cｂ&lt;")
  })

  test("sql_comments and white_space replace blanks, or encoded ones where there are no others", () => {
    expect(apply("sql_comments", "a or+b")).toBe("a/**/or+b")
    expect(apply("sql_comments", "a+or%20b")).toBe("a/**/or/**/b")
    expect(apply("white_space", "a or b")).toBe("a\t\tor\t\tb")
    expect(apply("white_space", "a+or")).toBe("a%09%09or")
  })

  test("respell leaves the delimiters of a request, and of nothing else", () => {
    const [once] = TRANSFORMATIONS
    if (once === undefined) throw new Error("there is no transformation")
    const text = "/a b/'?x='=&y=/"
    expect(respell({ text, kind: "request" }, once)).toBe("/a b/%27?x=%27=&y=%2F")
    expect(respell({ text: "x='&y='", kind: "request" }, once)).toBe("x=%27&y=%27")
    expect(respell({ text: "/../'", kind: "request" }, once)).toBe("/../%27")
    const entities = TRANSFORMATIONS.find(({ name }) => name === "html_entities")
    expect(entities && respell({ text: "x=<", kind: "request" }, entities)).toBe(
      "%26%23120;=%26lt;",
    )
    expect(respell({ text, kind: "param" }, once)).toBe(once.apply(text))
  })

  test.each(TRANSFORMATIONS.map(({ name }) => [name]))(
    "%s takes any text, lone surrogates included, and keeps to its bound",
    (name) => {
      fc.assert(
        fc.property(fc.string({ unit: "binary" }), fc.boolean(), (text, isBroken) => {
          const subject = isBroken ? `\ud800${text}` : text
          expect(apply(name, subject).length).toBeLessThanOrEqual(subject.length * 15)
        }),
      )
    },
  )
})
