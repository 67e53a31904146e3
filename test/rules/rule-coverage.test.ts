import { describe, expect, setDefaultTimeout, test } from "bun:test"
import { provenExploits } from "../../bench/rules/exploits.ts"
import { benignCorpus } from "../../src/rules/benign/benign-corpus.ts"
import { BENIGN_LINES, generatedBenign } from "../../src/rules/benign/generated-benign.ts"
import { makePattern } from "../../src/rules/make-pattern.ts"
import { SIMULATED_CLASSES } from "../../src/twin-protocol.ts"

/**
 * Goal: rules for exploits that work block relatives that they were not made from. Method: exploits
 * of the twins' own strings and of the generators, twenty unseen relatives of each that work; the
 * same in large is `bench/rules.ts`.
 */

const OPTIONS = { seed: 5, strings: 2, generated: 3, relatives: 30, heldOut: 20 }
const BENIGN = 5_000
const corpus = benignCorpus("generated", generatedBenign({ ...BENIGN_LINES, count: BENIGN }))
// the machine may be busy: time is judged in bench/ alone
setDefaultTimeout(300_000)

describe("rules on working exploits", () => {
  for (const label of SIMULATED_CLASSES) {
    test(`makePattern covers the unseen relatives of ${label}`, async () => {
      const exploits = await provenExploits(label, OPTIONS)
      let [matched, all] = [0, 0]
      for (const { payload, relatives, heldOut } of exploits) {
        const task = { class: label, payload, minimised: undefined, location: "query:q" }
        const made = makePattern({ ...task, relatives, heldOut }, [corpus])
        expect(made, payload).toBeDefined()
        expect(corpus.meets(new RegExp(made?.pattern ?? "", "u")), payload).toBe(false)
        matched += made?.heldOutMatched ?? 0
        all += heldOut.length
      }
      expect(exploits).toHaveLength(OPTIONS.strings + OPTIONS.generated)
      expect(matched / all).toBeGreaterThan(0.8)
    })
  }
})
