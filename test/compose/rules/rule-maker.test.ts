import { describe, expect, test } from "bun:test"
import { ruleMaker } from "../../../src/compose/rules/rule-maker.ts"
import { type RuleOrder, worksAs } from "../../../src/operators/generate-rules.ts"
import type { Rule } from "../../../src/rule.ts"
import { benignCorpus } from "../../../src/rules/benign/benign-corpus.ts"
import { generatedBenign } from "../../../src/rules/benign/generated-benign.ts"
import { makePattern } from "../../../src/rules/make-pattern.ts"
import { coversPayload } from "../../../src/rules/rule-matcher.ts"
import { RuleRefusedError } from "../../../src/rules/rule-refused-error.ts"
import { storedVerdict } from "../../support/api-parts.ts"
import { inProcessSandbox } from "../../support/in-process-sandbox.ts"
import { provenResult } from "../../support/proven-result.ts"
import { simulationSubject } from "../../support/simulation-subject.ts"

/** With the real twin, and the real generation beside the test instead of in a thread. */

const EXPLOIT = "' OR (SELECT password FROM users LIMIT 1) IS NOT NULL -- "
const NOW = Date.parse("2026-01-10T00:00:00Z")
const DAY_MS = 86_400_000
const signal = new AbortController().signal
const corpus = benignCorpus("generated", generatedBenign({ seed: 1, count: 2_000 }))

function order(value = EXPLOIT): RuleOrder {
  const subject = simulationSubject({ value })
  const { verdict } = storedVerdict("event-1", "session-1", 0)
  const proof = { template: "quoted", effect: "canary_leaked" } as const
  return {
    ...{ subject, signal, isProven: true, result: provenResult() },
    task: { eventId: "event-1", sessionId: "session-1", priority: 5, eventTimeMs: 0, verdict },
    works: worksAs(proof, subject, { sandbox: inProcessSandbox, signal }),
  }
}

function maker({ nothingIsSafe = false, rules = [] as readonly Rule[] } = {}) {
  const stored: (readonly string[])[] = []
  const seen = storedVerdict("event-0", "session-0", 0)
  const benign = { ...seen.verdict, verdict: "benign" as const, payload_predictions: [] }
  const prediction = { class: "benign", payload_value: "O'Brien & Sons" } as never
  const make = ruleMaker({
    pool: {
      async run({ task, ...order }) {
        if (task !== undefined) stored.push(order.stored)
        const made =
          task === undefined || nothingIsSafe
            ? undefined
            : makePattern(task, { searched: [corpus] })
        return { made, corpora: { generated: corpus.count } }
      },
      close: async () => undefined,
    },
    verdicts: {
      query: () => ({
        items: [seen, { ...seen, verdict: { ...benign, payload_predictions: [prediction] } }],
        cursor: undefined,
      }),
    },
    rules: {
      inStates: () => rules.map((rule) => ({ rule, state: "active", history: [] })),
    },
    clock: { nowMs: () => NOW },
    timeToLiveMs: DAY_MS,
  })
  return { make, stored }
}

describe("ruleMaker", () => {
  test("ruleMaker covers an exploit and its relatives, and writes down where the rule comes from", async () => {
    const { make, stored } = maker()
    const rule = await make(order())
    expect(coversPayload(rule.match, { value: EXPLOIT, location: "query:q" })).toBe(true)
    expect(rule.expires_at).toBe(new Date(NOW + DAY_MS).toISOString())
    expect(rule.audit).toMatchObject({
      ...{ evidence_sha256: "0".repeat(64), integrity: "verified", simulated: true },
      ...{ model: "payload-test/1", verdict: "simulate" },
      coverage: { variants: 40, held_out: 80 },
      benign: { corpora: { generated: corpus.count }, matched: 0 },
    })
    expect(rule.audit.coverage.held_out_matched).toBeGreaterThan(70)
    // what this deployment called benign is held against it as well
    expect(stored).toEqual([["O'Brien & Sons"]])
  }, 60_000)

  test("ruleMaker rewrites what came encoded in the clear, so that the rule covers more than its encoding", async () => {
    const { make } = maker()
    const { match, audit } = await make(order(encodeURIComponent(EXPLOIT)))
    const variant = "x'/**/oR (sElEcT/*a*/password/**/FROM users  LIMIT 1) is  not NULL -- "
    for (const value of [EXPLOIT, encodeURIComponent(EXPLOIT), variant]) {
      expect(coversPayload(match, { value, location: "query:q" })).toBe(true)
    }
    expect(audit.coverage).toMatchObject({ variants: 41, held_out: 80 })
  }, 60_000)

  test("ruleMaker makes one rule for an exploit and what else was proven in its template", async () => {
    const neighbour = "' UNION SELECT id, email, password FROM users -- "
    const others = [await maker().make(order(neighbour)), await maker().make(order("' OR 1=2 -- "))]
    const { make } = maker({ rules: others })
    const rule = await make(order())
    const works = await Promise.all(
      others.map(({ evidence }) => order().works(evidence.sample_payloads[0] ?? "")),
    )
    expect(rule.audit.coverage.variants).toBe(40 + works.filter((isWorking) => isWorking).length)
    expect(works).toContain(true)
  }, 120_000)

  test("ruleMaker makes the same rule of the same exploit again", async () => {
    const { make } = maker()
    expect(await make(order())).toEqual(await make(order()))
  }, 60_000)

  test("ruleMaker refuses what meets benign requests, and remembers it for an hour", async () => {
    const { make, stored } = maker({ nothingIsSafe: true })
    await expect(make(order())).rejects.toThrow(RuleRefusedError)
    await expect(make(order())).rejects.toThrow("within the last hour")
    expect(stored).toHaveLength(1)
  }, 60_000)
})
