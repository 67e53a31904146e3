import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { readAnswer } from "../../src/sandbox/read-answer.ts"
import type { TwinAnswer, TwinRequest } from "../../src/twin-protocol.ts"

const REQUEST: TwinRequest = {
  ...{ id: "run-1", class: "sql_injection", payload: "x", location: "query:q" },
  ...{ canary: "0".repeat(32), budgetMs: 1_000 },
}
const ATTEMPT = {
  template: "number",
  program: "SELECT 1",
  effects: [{ kind: "canary_leaked", detail: "seen" }],
}
const ANSWER = {
  ...{ id: "run-1", class: "sql_injection", attempts: [ATTEMPT], templatesTried: 3 },
  controlAttempts: [],
}
const read = (value: unknown) => readAnswer(JSON.stringify(value), REQUEST)

describe("readAnswer", () => {
  test("takes an answer to the request as it is", () => {
    expect(read(ANSWER)).toEqual(ANSWER as unknown as TwinAnswer)
    expect(read({ ...ANSWER, inconclusive: "dialect" })?.inconclusive).toBe("dialect")
  })

  test("takes over nothing that the protocol does not name", () => {
    const more = { ...ANSWER, verdict: "trust me", attempts: [{ ...ATTEMPT, extra: 1 }] }
    expect(read(more)).toEqual(ANSWER as unknown as TwinAnswer)
  })

  const refused: readonly [string, unknown][] = [
    ["another id", { ...ANSWER, id: "run-2" }],
    ["another class", { ...ANSWER, class: "xss" }],
    [
      "an unknown effect",
      { ...ANSWER, attempts: [{ ...ATTEMPT, effects: [{ kind: "magic", detail: "" }] }] },
    ],
    [
      "a detail beyond its limit",
      {
        ...ANSWER,
        attempts: [{ ...ATTEMPT, effects: [{ kind: "canary_leaked", detail: "x".repeat(513) }] }],
      },
    ],
    [
      "a program beyond its limit",
      { ...ANSWER, attempts: [{ ...ATTEMPT, program: "x".repeat(4_097) }] },
    ],
    ["too many attempts", { ...ANSWER, attempts: Array(33).fill(ATTEMPT) }],
    ["a negative count", { ...ANSWER, templatesTried: -1 }],
    ["an unknown reason", { ...ANSWER, inconclusive: "whatever" }],
    ["no control", { ...ANSWER, controlAttempts: undefined }],
    ["a list", [ANSWER]],
    ["an error line", { error: "the twin ended without an answer" }],
  ]
  test.each(refused)("refuses %s", (_, value) => {
    expect(read(value)).toBeUndefined()
  })

  test("is total: any text is an answer or undefined", () => {
    fc.assert(fc.property(fc.string(), (line) => readAnswer(line, REQUEST) === undefined))
    fc.assert(fc.property(fc.jsonValue(), (value) => read(value) === undefined))
    expect(readAnswer(undefined, REQUEST)).toBeUndefined()
  })
})
