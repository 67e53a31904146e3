import { describe, expect, test } from "bun:test"
import { classifyLines } from "../../../src/ml/training/classify-lines.ts"
import type { PayloadClassifier, PayloadInput } from "../../../src/ports.ts"
import { BY_QUOTES } from "../../support/fake-classifier.ts"

async function* lines(...items: readonly string[]): AsyncGenerator<string> {
  yield* items
}

describe("classifyLines", () => {
  test("keeps order and fields and adds the answer", async () => {
    const input = lines('{"text":"a\'\'\'b","id":7,"kind":"param"}', "", '{"text":"c"}')
    const output = await Array.fromAsync(classifyLines(input, BY_QUOTES))
    expect(output.map(({ text }) => JSON.parse(text))).toEqual([
      {
        text: "a'''b",
        id: 7,
        kind: "param",
        class: "sql_injection",
        confidence: 0.75,
        probabilities: { sql_injection: 0.75, benign: 0.25 },
        method: "ml",
        model: "by-quotes/1",
      },
      expect.objectContaining({ text: "c", class: "benign" }),
    ])
  })

  test("classifyLines hands on what the context says, and nothing of another form", async () => {
    const seen: PayloadInput[] = []
    const watching: PayloadClassifier = {
      ...BY_QUOTES,
      classify(input) {
        seen.push(input)
        return BY_QUOTES.classify(input)
      },
    }
    const contexts = [{ param: "q", content_type: "a/b", page: 1 }, { path: 7 }, "query", null]
    const input = contexts.map((context) => JSON.stringify({ text: "a", context }))
    await Array.fromAsync(classifyLines(lines(...input), watching))
    expect(seen).toEqual([
      { text: "a", context: { param: "q", contentType: "a/b" } },
      { text: "a", context: {} },
      { text: "a" },
      { text: "a" },
    ])
  })

  test("writes an error that names the field in place of a bad line, and goes on", async () => {
    const bad = ["{", "[]", "1", '{"text":7}', '{"text":"a","kind":"oven"}']
    const output = await Array.fromAsync(classifyLines(lines(...bad, '{"text":"a"}'), BY_QUOTES))
    const errors = output.slice(0, bad.length).map(({ text }) => JSON.parse(text).error)
    expect(errors.map(({ code, field }) => [code, field])).toEqual([
      ["MALFORMED", "line"],
      ["MALFORMED", "line"],
      ["MALFORMED", "line"],
      ["MALFORMED", "text"],
      ["MALFORMED", "kind"],
    ])
    expect(JSON.parse(output.at(-1)?.text ?? "").class).toBe("benign")
  })

  test("classifyLines tells a refusal from a line that looks like one", async () => {
    const input = lines('{"error":{"code":"x"},"text":"a"}', "{")
    const output = await Array.fromAsync(classifyLines(input, BY_QUOTES))
    expect(output.map(({ refused }) => refused)).toEqual([false, true])
  })
})
