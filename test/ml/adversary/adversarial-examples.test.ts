import { expect, test } from "bun:test"
import { adversarialExamples } from "../../../src/ml/adversary/adversarial-examples.ts"
import { effectCheck } from "../../../src/ml/adversary/effect.ts"
import { sqliteInjections } from "../../../src/ml/adversary/sqlite-injection.ts"
import type { LabelledPayload } from "../../../src/ml/evaluation/labelled-payloads.ts"
import { generatePayloads } from "../../../src/ml/generators/payloads.ts"
import type { PayloadClassifier } from "../../../src/ports.ts"
import { fakeClassifier } from "../../support/fake-classifier.ts"

/** Calls a text an attack where it holds the pattern, surer the more often. */
function patternClassifier(pattern: RegExp, asked: string[] = []): PayloadClassifier {
  return fakeClassifier({
    modelId: "pattern",
    attackIn(text) {
      asked.push(text)
      return 1 - 1 / (1 + 2 * (text.match(pattern)?.length ?? 0))
    },
  })
}

const ATTACK: LabelledPayload = {
  text: "' or 1=1 -- ",
  label: "sql_injection",
  source: "test",
  kind: "param",
}

function attackOnce(classifier: PayloadClassifier, budget: number) {
  return [...adversarialExamples({ seed: 7, classifier, attacks: [ATTACK], budget })]
}

test("adversarialExamples gets past a case-sensitive pattern with a text that still works", () => {
  const [found] = attackOnce(patternClassifier(/\bor\b/g), 200)
  expect(found?.evaded).toBe(true)
  expect(found?.label).toBe("sql_injection")
  expect(found?.source).toBe("adversary/sql_injection")
  expect(effectCheck("sql_injection", ATTACK.text)?.(found?.text ?? "")).toBe(true)
})

test("adversarialExamples asks no more than the budget and then gives the attack back", () => {
  const asked: string[] = []
  const [found] = attackOnce(patternClassifier(/[\s\S]/g, asked), 50)
  expect(found).toEqual({
    ...ATTACK,
    source: "adversary/sql_injection",
    evaded: false,
    queries: 50,
  })
  expect(asked).toHaveLength(50)
})

test("adversarialExamples is deterministic, and passes over benign rows", () => {
  const run = () => {
    const attacks = generatePayloads({ seed: 3, count: 60 })
    const classifier = patternClassifier(/cat|script|select|etc/gi)
    return [...adversarialExamples({ seed: 1, classifier, attacks, budget: 40 })]
  }
  const first = run()
  expect(first.length).toBeGreaterThan(3)
  expect(first.some(({ label }) => label === "benign")).toBe(false)
  expect(run()).toEqual(first)
})

test("sqliteInjections have, for the most part, an effect in SQLite", () => {
  const attacks = [...sqliteInjections({ seed: 1, count: 100 })]
  const working = attacks.filter(({ label, text }) => effectCheck(label, text) !== undefined)
  expect(working.length).toBeGreaterThan(70)
})
