import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { sliceMembers } from "../../src/api/json-members.ts"

const NAMES = ["a", "b", "evidence"]
const encode = (text: string) => new TextEncoder().encode(text)

function slices(text: string): Record<string, string> {
  const members = [...sliceMembers(encode(text), NAMES)]
  return Object.fromEntries(members.map(([name, bytes]) => [name, new TextDecoder().decode(bytes)]))
}

describe("sliceMembers", () => {
  test("sliceMembers keeps numbers, spaces and escapes as they were written", () => {
    expect(
      slices(' { "a" : {"n": 1.10, "big":12345678901234567890 ,"s":"\\u00e9"} , "b":[ 1 ] } '),
    ).toEqual({
      a: '{"n": 1.10, "big":12345678901234567890 ,"s":"\\u00e9"}',
      b: "[ 1 ]",
    })
  })

  test("sliceMembers takes the last of two equal names, however they are escaped", () => {
    expect(slices('{"evidence":1,"\\u0065vidence":{"x":2}}')).toEqual({ evidence: '{"x":2}' })
  })

  test("sliceMembers accepts the floats that Python writes", () => {
    expect(slices('{"a":[NaN,Infinity,-Infinity]}')).toEqual({ a: "[NaN,Infinity,-Infinity]" })
  })

  test("sliceMembers is not fooled by brackets inside strings", () => {
    expect(slices('{"a":"}],\\"{","b":"\\\\"}')).toEqual({ a: '"}],\\"{"', b: '"\\\\"' })
  })

  test("sliceMembers agrees with JSON.parse on every well-formed object", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.nat(3), (object, indent) => {
        const text = JSON.stringify(object, null, indent)
        const expected = JSON.parse(text) as Record<string, unknown>
        const members = sliceMembers(encode(text), Object.keys(expected))
        expect([...members.keys()].sort()).toEqual(Object.keys(expected).sort())
        for (const [name, bytes] of members) {
          expect(JSON.parse(new TextDecoder().decode(bytes))).toEqual(expected[name])
        }
      }),
    )
  })

  test("sliceMembers refuses exactly what JSON.parse refuses, one edit away from JSON", () => {
    const edit = fc.record({
      at: fc.nat(80),
      drop: fc.nat(2),
      insert: fc.constantFrom(
        "",
        ",",
        '"',
        "{",
        "}",
        "[",
        "]",
        ":",
        "0",
        "-",
        ".",
        "e",
        "\\",
        " ",
        "\n",
        "t",
      ),
    })
    fc.assert(
      fc.property(
        fc.dictionary(fc.string(), fc.jsonValue()),
        edit,
        (object, { at, drop, insert }) => {
          const text = JSON.stringify(object)
          const edited = `{"x":${text.slice(0, at)}${insert}${text.slice(at + drop)}}`
          expect([edited, accepts(() => sliceMembers(encode(edited), NAMES))]).toEqual([
            edited,
            accepts(() => JSON.parse(edited)),
          ])
        },
      ),
      { numRuns: 2_000 },
    )
  })

  const malformed = [
    "",
    "{",
    '{"a"}',
    '{"a":}',
    '{"a":1,}',
    "{a:1}",
    '{"a":01}',
    '{"a":+1}',
    '{"a":1.}',
  ]
  malformed.push(
    '{"a":"\\x"}',
    '{"a":"\\u12"}',
    '{"a":"\n"}',
    '{"a":1} x',
    '{"a":[1}',
    '{"a":"',
    '{"a":tru}',
  )
  test.each(malformed)("sliceMembers refuses %j as malformed", (text) => {
    expect(() => sliceMembers(encode(text), NAMES)).toThrow("not well-formed JSON")
  })

  test.each(["[]", "null", '"{}"', "3"])("sliceMembers refuses %j, which is no object", (text) => {
    expect(() => sliceMembers(encode(text), NAMES)).toThrow("expected an object")
  })

  test("sliceMembers keeps only the names it is asked for", () => {
    expect(slices('{"x":1,"a":2,"__proto__":3}')).toEqual({ a: "2" })
  })

  test("sliceMembers bounds depth and the length of numbers, in linear time", () => {
    const deep = `{"a":${"[".repeat(5_000_000)}`
    expect(() => sliceMembers(encode(deep), NAMES)).toThrow("not well-formed JSON")
    expect(() => sliceMembers(encode(`{"a":${"9".repeat(5_000_000)}}`), NAMES)).toThrow(
      "not well-formed JSON",
    )
    expect(slices(`{"a":${"[".repeat(900)}${"]".repeat(900)}}`).a?.length).toBe(1_800)
  })
})

function accepts(parse: () => unknown): boolean {
  try {
    parse()
    return true
  } catch {
    return false
  }
}
