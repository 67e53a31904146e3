import { describe, expect, test } from "bun:test"
import { mutate } from "../../../src/ml/adversary/mutations.ts"
import { generatePayloads } from "../../../src/ml/generators/payloads.ts"
import { Random } from "../../../src/ml/random.ts"
import { inspectedText, sendingsOf } from "../../../src/rules/sendings.ts"
import type { SimulatedClass } from "../../../src/twin-protocol.ts"
import { backtrackingSteps } from "../../support/rule-engines/backtracking-steps.ts"
import { ruleEngines } from "../../support/rule-engines/engines.ts"
import { FAMILIES } from "../synthesis/families.ts"
import { patternFor } from "../synthesis/laboratory.ts"

const TEXTS = 10_000
/** What folds, ends or breaks differently in the three engines. */
const HOSTILE = [
  "\u212a\u017f\u0130\u0131",
  "\n",
  "\r\n",
  "\u2028",
  "\0",
  "\u{1f600}",
  "\ufeff",
  "%",
  "\\",
  "(",
  "é",
]

const engines = await ruleEngines()
const random = new Random(17)
const exploits = Object.entries(FAMILIES).flatMap(([label, families]) =>
  families.map((family) => ({ label: label as SimulatedClass, ...family })),
)
const patterns = exploits.map(({ label, exploit, made, benign }) =>
  patternFor(label, exploit, { relatives: made, benign }),
)

/** Requests as a WAF sees them: benign ones, attacks, mutations of the exploits, and broken ones. */
function* texts(): Generator<string> {
  for (const { text } of generatePayloads({ seed: 41, count: TEXTS / 4 })) {
    yield* sendingsOf(text.slice(0, 300).toWellFormed(), "query:q").slice(0, 2).map(inspectedText)
  }
  for (let left = TEXTS / 2; left > 0; left--) {
    const { label, exploit } = random.pick(exploits)
    const text = hostile(mutate(random, label, mutate(random, label, exploit)))
    yield inspectedText(random.pick(sendingsOf(text.toWellFormed(), "query:q")))
  }
}

function hostile(text: string): string {
  if (random.chance(0.5)) return text
  const at = random.below(text.length)
  return `${text.slice(0, at)}${random.pick(HOSTILE)}${text.slice(at)}`
}

describe.skipIf(engines === undefined)("patterns in other engines", () => {
  test("Python, RE2 and JavaScript compile each pattern and match the same of 10,000 texts", async () => {
    const all = [...texts()]
    const python = (await engines?.python(all, patterns)) ?? []
    const re2 = (await engines?.re2(all, patterns)) ?? []
    for (const [index, pattern] of patterns.entries()) {
      const regex = new RegExp(pattern, "u")
      const own = all.flatMap((text, at) => (regex.test(text) ? [at] : []))
      expect(python[index]?.matched, pattern.slice(0, 60)).toEqual(own)
      expect(re2[index]?.matched, pattern.slice(0, 60)).toEqual(own)
      expect(own.length).toBeGreaterThan(0)
      expect(own.length).toBeLessThan(all.length)
    }
    expect(all.length).toBe(TEXTS)
  }, 300_000)

  /**
   * Texts of 1, 10 and 100 KB that keep every pattern going: its own beginnings again and again. Steps
   * of a search by backtracking are counted; the time of the engines is printed and not judged.
   */
  test("the work of a search grows with the text and no faster", async () => {
    for (const [index, pattern] of patterns.entries()) {
      const exploit = exploits[index]?.exploit ?? ""
      const beginning = exploit.slice(0, Math.ceil(exploit.length / 3))
      for (const stem of [beginning, `=${beginning}`, " '", "/", "&"]) {
        const [small = 0, middle = 0, large = 0] = [1_000, 10_000, 100_000].map((length) =>
          backtrackingSteps(pattern, stem.repeat(Math.ceil(length / stem.length)).slice(0, length)),
        )
        expect(middle / small, pattern.slice(0, 60)).toBeLessThan(12)
        expect(large / middle, pattern.slice(0, 60)).toBeLessThan(11)
      }
    }
  }, 300_000)
})
