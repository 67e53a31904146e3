import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { MalformedError } from "../../src/errors.ts"
import { canonicalJson, JSON_DEPTH_MAX } from "../../src/evidence/json-scanner.ts"
import { randomJsonText } from "./random-json-text.ts"

/** SENTINEL_JSON_FUZZ=100000 runs the long form; each document goes through one python3 process. */
const FUZZED_DOCUMENTS = Number(Bun.env.SENTINEL_JSON_FUZZ ?? 4_000)

const PYTHON = `
import json, sys
for line in sys.stdin:
    try:
        print(json.dumps({"ok": json.dumps(json.loads(json.loads(line)), sort_keys=True)}))
    except (ValueError, RecursionError):
        print(json.dumps({"ok": None}))
`

const WRITTEN: readonly (readonly [text: string, canonical: string])[] = [
  ["1.10", "1.1"],
  ["1.0", "1.0"],
  ["1E5", "100000.0"],
  ["1e16", "1e+16"],
  ["1e15", "1000000000000000.0"],
  ["1e-07", "1e-07"],
  ["0.0001", "0.0001"],
  ["0.00001", "1e-05"],
  ["1e400", "Infinity"],
  ["-1e400", "-Infinity"],
  ["-0", "0"],
  ["-0.0", "-0.0"],
  ["5e-324", "5e-324"],
  ["1.7976931348623157e308", "1.7976931348623157e+308"],
  ["123456789012345678901234567890", "123456789012345678901234567890"],
  ["-12345678901234567890", "-12345678901234567890"],
  ["[NaN,Infinity,-Infinity]", "[NaN, Infinity, -Infinity]"],
  ['{"b":1,"a":2,"b":3}', '{"a": 2, "b": 3}'],
  [
    '"\\u00e9 é \u007f / \\/ \\" \\\\ \\n\\r\\t\\f\\b \\u0001"',
    '"\\u00e9 \\u00e9 \\u007f / / \\" \\\\ \\n\\r\\t\\f\\b \\u0001"',
  ],
  ['"😀 \\ud83d\\ude00 \\ud83d"', '"\\ud83d\\ude00 \\ud83d\\ude00 \\ud83d"'],
  ['{"\\uffff":1,"😀":2,"a":3}', '{"a": 3, "\\uffff": 1, "\\ud83d\\ude00": 2}'],
  [' { "a" : [ ] , "b" : { } } ', '{"a": [], "b": {}}'],
  ['{"__proto__":1}', '{"__proto__": 1}'],
]

const REFUSED = [
  "",
  " ",
  "{",
  "[1,]",
  "[1 2]",
  '{"a"}',
  '{"a":1,}',
  "{a:1}",
  "'a'",
  "01",
  "1.",
  ".5",
  "+1",
  "-",
  "1e",
  "nul",
  "-NaN",
  '"\n"',
  '"\\x41"',
  '"\\u12"',
  '"a',
  "1 2",
  "\u00a01",
]

describe("canonicalJson", () => {
  test.each(WRITTEN)("canonicalJson writes %j as Python does", (text, canonical) => {
    expect(canonicalJson(text)).toBe(canonical)
  })

  test.each(REFUSED)("canonicalJson refuses %j", (text) => {
    expect(() => canonicalJson(text)).toThrow(MalformedError)
  })

  test("canonicalJson bounds nesting instead of overflowing the stack", () => {
    const nested = (depth: number) => "[".repeat(depth) + "]".repeat(depth)
    expect(canonicalJson(nested(JSON_DEPTH_MAX))).toHaveLength(2 * JSON_DEPTH_MAX)
    expect(() => canonicalJson(nested(JSON_DEPTH_MAX + 2))).toThrow(MalformedError)
    expect(() => canonicalJson("[".repeat(1_000_000))).toThrow(MalformedError)
    expect(() => canonicalJson('{"a":'.repeat(1_000_000))).toThrow(MalformedError)
  })

  test("canonicalJson is idempotent and keeps the value", () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        const canonical = canonicalJson(text)
        expect(canonicalJson(canonical)).toBe(canonical)
        expect(JSON.parse(canonical)).toEqual(JSON.parse(text))
      }),
    )
  })

  test("canonicalJson fails on any text with a MalformedError or not at all", () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'{}[]:,"\\u0eE.+-1tn ') }), (text) => {
        try {
          canonicalJson(text)
        } catch (error) {
          expect(error).toBeInstanceOf(MalformedError)
        }
      }),
    )
  })

  // Goal: byte for byte the oracle's own answer. Method: random texts, not values, so that numbers,
  // escapes and duplicates are written in every way; a tenth of them is damaged on purpose.
  test.skipIf(Bun.which("python3") === null)(
    `canonicalJson agrees with python3 on ${FUZZED_DOCUMENTS} random documents`,
    async () => {
      const texts = Array.from({ length: FUZZED_DOCUMENTS }, (_, seed) => randomJsonText(seed + 1))
      const answers = await askPython(texts)
      expect(answers).toHaveLength(texts.length)
      for (const [index, text] of texts.entries()) {
        const answer = { text, canonical: canonicalOrNull(text) }
        expect(answer).toEqual({ text, canonical: answers[index] ?? null })
      }
      expect(answers.filter((answer) => answer === null).length).toBeGreaterThan(
        FUZZED_DOCUMENTS / 50,
      )
      expect(answers.filter((answer) => answer !== null).length).toBeGreaterThan(
        FUZZED_DOCUMENTS / 2,
      )
    },
    120_000,
  )
})

function canonicalOrNull(text: string): string | null {
  try {
    return canonicalJson(text)
  } catch {
    return null
  }
}

async function askPython(texts: readonly string[]): Promise<(string | null)[]> {
  const lines = texts.map((text) => `${asciiJson(text)}\n`).join("")
  const python = Bun.spawn(["python3", "-c", PYTHON], { stdin: new Blob([lines]), stdout: "pipe" })
  const output = await new Response(python.stdout).text()
  return output
    .trimEnd()
    .split("\n")
    .map((line) => (JSON.parse(line) as { ok: string | null }).ok)
}

/** Lone surrogates have no UTF-8: they cross the pipe as escapes. */
function asciiJson(text: string): string {
  return JSON.stringify(text).replace(/[\u007f-\uffff]/g, (unit) => {
    return `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`
  })
}
