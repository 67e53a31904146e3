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
const ENGINES = ["javascript", "python", "re2"] as const
/** Of adversarial texts; each time is that of the same characters, in texts of one of these lengths. */
const LENGTHS = [1_000, 10_000, 100_000]
/** By which such a time grows from one length to the next where a search takes quadratic time. */
const QUADRATIC = 10
const ROUNDS = 5
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

/** What keeps a pattern going: its own beginnings again and again. */
function stemsOf(index: number): readonly string[] {
  const exploit = exploits[index]?.exploit ?? ""
  const beginning = exploit.slice(0, Math.ceil(exploit.length / 3))
  return [beginning, `=${beginning}`, " '", "/", "&"]
}

function slowestStem(index: number): string {
  const steps = (stem: string) => backtrackingSteps(patterns[index] ?? "", repeated(stem, 1_000))
  return stemsOf(index).reduce((slowest, stem) => (steps(stem) > steps(slowest) ? stem : slowest))
}

function repeated(stem: string, length: number): string {
  return stem.repeat(Math.ceil(length / stem.length)).slice(0, length)
}

/** Microseconds, the least of some rounds, by length of the texts. */
async function times(
  engine: (typeof ENGINES)[number],
  pattern: string,
  stem: string,
  lengths = LENGTHS,
): Promise<readonly [number, number, number]> {
  const total = Math.max(...lengths)
  const found: number[] = []
  for (const length of lengths) {
    const texts = Array.from({ length: total / length }, () => repeated(stem, length))
    const rounds = (await engines?.[engine](texts, Array(ROUNDS).fill(pattern))) ?? []
    found.push(Math.min(...rounds.map(({ cpu_us }) => cpu_us)))
  }
  const [small = 0, middle = 0, large = 0] = found
  return [small, middle, large]
}

describe.skipIf(engines === undefined)("patterns in other engines", () => {
  test("Python, RE2 and JavaScript compile each pattern and match the same of 10,000 texts", async () => {
    const all = [...texts()]
    const [own = [], ...others] = await Promise.all(
      ENGINES.map((name) => engines?.[name](all, patterns) ?? []),
    )
    for (const [index, pattern] of patterns.entries()) {
      const matched = own[index]?.matched ?? []
      for (const other of others) {
        expect(other[index]?.matched, pattern.slice(0, 60)).toEqual(matched)
      }
      expect(matched.length).toBeGreaterThan(0)
      expect(matched.length).toBeLessThan(all.length)
    }
    expect(all.length).toBe(TEXTS)
  }, 300_000)

  test("the steps of a search by backtracking grow with the text and no faster", () => {
    for (const [index, pattern] of patterns.entries()) {
      for (const stem of stemsOf(index)) {
        const [small = 0, middle = 0, large = 0] = LENGTHS.map((length) =>
          backtrackingSteps(pattern, repeated(stem, length)),
        )
        expect(middle / small, pattern.slice(0, 60)).toBeLessThan(12)
        expect(large / middle, pattern.slice(0, 60)).toBeLessThan(11)
      }
    }
  }, 300_000)

  for (const engine of ENGINES) {
    test(`the processor time of ${engine} grows with the text and no faster`, async () => {
      for (const [index, pattern] of patterns.entries()) {
        const [small, middle, large] = await times(engine, pattern, slowestStem(index))
        expect(middle / small, pattern.slice(0, 60)).toBeLessThan(QUADRATIC / 2)
        expect(large / middle, pattern.slice(0, 60)).toBeLessThan(QUADRATIC / 2)
      }
    }, 300_000)
  }

  test("the processor time of a pattern that checkPattern refuses grows faster", async () => {
    for (const engine of ["javascript", "python"] as const) {
      const [small, middle] = await times(engine, "a[ab]*c", "ab", [2_000, 20_000])
      expect(middle / small).toBeGreaterThan(QUADRATIC / 2)
    }
  }, 300_000)
})
