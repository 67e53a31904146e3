import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { payloadScores } from "../../src/operators/payload-score.ts"
import { prediction } from "../support/judged-evidence.ts"

const share = fc.double({ min: 0, max: 1, noNaN: true })

/** `count` distinct fields with punctuation, each with a P(attack) of 0.0001. */
function calmFields(count: number) {
  return Array.from({ length: count }, (_, i) => prediction(0.0001, { text: `field, ${i}!` }))
}

describe("payloadScores", () => {
  test("payloadScores is 0 of no payload and the P(attack) of a single one", () => {
    expect(payloadScores([])).toEqual({ any: 0, simulated: 0 })
    expect(payloadScores([prediction(0.6)]).any).toBeCloseTo(0.6, 12)
  })

  test("payloadScores is the mean of the odds over the distinct texts", () => {
    const { any } = payloadScores([prediction(0.99, { text: "a b" }), ...calmFields(49)])
    expect(any / (1 - any)).toBeCloseTo((99 + 49 * (0.0001 / 0.9999)) / 50, 9)
  })

  test("payloadScores adds up what several uncertain payloads say", () => {
    const odd = (count: number) =>
      Array.from({ length: count }, (_, i) => prediction(0.97, { text: `odd? ${i}` }))
    const scoreOf = (count: number) => payloadScores([...odd(count), ...calmFields(40)]).any
    expect(scoreOf(1)).toBeLessThan(0.5)
    expect(scoreOf(5)).toBeGreaterThan(0.75)
  })

  test("payloadScores counts a text once, in the place where it looks worst", () => {
    const one = prediction(0.9, { text: "a b", kind: "param" })
    const again = prediction(0.4, { text: "a b", kind: "header" })
    expect(payloadScores([again, one, again])).toEqual(payloadScores([one]))
  })

  test("payloadScores does not let plain words hide an attack, nor discounts beyond 256 texts", () => {
    const words = Array.from({ length: 300 }, (_, i) => prediction(0, { text: `word${i}` }))
    const attack = prediction(0.95, { text: "a' or 1=1" })
    expect(payloadScores([...words, attack]).any).toBeCloseTo(0.95, 9)
    const padded = payloadScores([
      ...calmFields(9_000).map((field) => ({ ...field, probabilities: { benign: 1 } })),
      attack,
    ])
    expect(padded.any / (1 - padded.any)).toBeCloseTo(19 / 256, 9)
  })

  test("payloadScores tells apart what can be simulated", () => {
    const probabilities = { sql_injection: 0.1, other_attack: 0.8, benign: 0.1 }
    const { any, simulated } = payloadScores([{ ...prediction(0.9), probabilities }])
    expect(any).toBeCloseTo(0.9, 9)
    expect(simulated).toBeCloseTo(0.1, 9)
  })

  test("payloadScores never falls when one payload gets worse, and stays within 0..1", () => {
    const grows = (attacks: readonly number[], more: number): void => {
      const of = (values: readonly number[]) =>
        payloadScores(values.map((value, i) => prediction(value, { text: `a ${i}` }))).any
      const worse = attacks.map((value, i) => (i === 0 ? value + more * (1 - value) : value))
      expect(of(worse)).toBeGreaterThanOrEqual(of(attacks) - 1e-12)
      expect(of(worse)).toBeWithin(0, 1 + 1e-12)
    }
    fc.assert(fc.property(fc.array(share, { minLength: 1, maxLength: 30 }), share, grows))
  })
})
