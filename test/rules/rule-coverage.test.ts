import { describe, expect, setDefaultTimeout, test } from "bun:test"
import { provenExploits } from "../../bench/rules/exploits.ts"
import { heldBackCorpora, keptCorpora } from "../../src/rules/benign/kept-corpora.ts"
import { makePattern } from "../../src/rules/make-pattern.ts"
import { SIMULATED_CLASSES } from "../../src/twin-protocol.ts"
import { blocks } from "./synthesis/laboratory.ts"

/**
 * Goal: rules block at least 99% of the exploits that work, and 90% of their working relatives that
 * they were not made from, and meet none of the corpora that rules are made with. Method: twenty
 * exploits of the twins' own strings and of the generators, twenty unseen relatives of each that
 * work; the same in large is `bench/rules.ts`.
 */

const OPTIONS = { seed: 5, strings: 2, generated: 3, relatives: 40, heldOut: 20 }
const GOALS = { blocked: 0.99, relatives: 0.9 }
const searched = await keptCorpora(undefined)
const heldBack = heldBackCorpora()
// the machine may be busy: time is judged in bench/ alone
setDefaultTimeout(300_000)

describe("rules on working exploits", () => {
  const total = { exploits: 0, blocked: 0, relatives: 0, matched: 0 }

  for (const label of SIMULATED_CLASSES) {
    test(`makePattern makes rules for ${label} that meet nothing benign`, async () => {
      const exploits = await provenExploits(label, OPTIONS)
      expect(exploits).toHaveLength(OPTIONS.strings + OPTIONS.generated)
      for (const { payload, relatives, heldOut } of exploits) {
        const task = { class: label, payload, minimised: undefined, location: "query:q" }
        const made = makePattern({ ...task, relatives, heldOut }, { searched, heldBack })
        const regex = new RegExp(made?.pattern ?? "\\0never", "u")
        const held = [...searched, ...heldBack]
        expect(held.filter((corpus) => corpus.meets(regex)).map(({ name }) => name)).toEqual([])
        total.exploits += 1
        total.blocked += made !== undefined && blocks(made.pattern, payload) ? 1 : 0
        total.relatives += heldOut.length
        total.matched += heldOut.filter((text) => blocks(made?.pattern ?? "\\0never", text)).length
      }
    })
  }

  test("makePattern blocks 99% of the exploits and 90% of their unseen relatives", () => {
    expect(total.exploits).toBe(20)
    expect(total.blocked / total.exploits).toBeGreaterThanOrEqual(GOALS.blocked)
    expect(total.matched / total.relatives).toBeGreaterThanOrEqual(GOALS.relatives)
  })
})
