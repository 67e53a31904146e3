import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import type { Rule } from "../../../src/rule.ts"
import { decideRule, type PolicyState } from "../../../src/rules/policy/decide-rule.ts"
import { someRule } from "../../support/some-rule.ts"

const CALM: PolicyState = {
  thresholds: { autoApply: 0.9, review: 0.7 },
  isAutoApplyOn: true,
  appliedLastHour: 0,
  appliedPerHourMax: 10,
  hasGatekeeper: true,
  isDrifting: false,
  protections: [],
}

/** Each alone is enough to keep a rule that would be applied from being applied. */
const DOUBTS: readonly (readonly [
  reason: string,
  rule: Partial<Rule>,
  state: Partial<PolicyState>,
])[] = [
  ["confidence below 0.9", { confidence: 0.8999 }, {}],
  ["integrity of its evidence", { audit: { ...someRule().audit, integrity: "unverified" } }, {}],
  ["no simulation", { audit: { ...someRule().audit, simulated: false } }, {}],
  [
    "matches benign",
    {
      audit: {
        ...someRule().audit,
        benign: { corpora: { a: 9 }, matched: 1, false_positive_rate_max: 0.4 },
      },
    },
    {},
  ],
  [
    "never matches rules of this type",
    { match: { ...someRule().match, type: "header_combo" } },
    {},
  ],
  ["SENTINEL_AUTO_APPLY is off", {}, { isAutoApplyOn: false }],
  ["10 rules were applied within an hour", {}, { appliedLastHour: 10 }],
  ["no Gatekeeper is configured", {}, { hasGatekeeper: false }],
  ["Gatekeeper disagrees", {}, { isDrifting: true }],
]

describe("decideRule", () => {
  test("decideRule applies a rule that nothing speaks against", () => {
    expect(decideRule(someRule({ confidence: 0.9 }), CALM).decision).toBe("auto_applied")
  })

  for (const [reason, rule, state] of DOUBTS) {
    test(`decideRule asks a person: ${reason}`, () => {
      const { decision, reasons } = decideRule(someRule(rule), { ...CALM, ...state })
      expect(decision).toBe("pending_review")
      expect(reasons).toHaveLength(1)
      expect(reasons[0]).toContain(reason)
    })
  }

  test("decideRule only logs what is too unsure, and what the never-block list protects from", () => {
    expect(decideRule(someRule({ confidence: 0.6999 }), CALM).decision).toBe("logged_only")
    const protectedFrom = { ...CALM, protections: ["the path /checkout is never blocked"] }
    const { decision, reasons } = decideRule(someRule({ confidence: 1 }), protectedFrom)
    expect([decision, ...reasons]).toEqual(["logged_only", "the path /checkout is never blocked"])
  })

  test("decideRule applies no rule more readily for any doubt that is added", () => {
    const rank = { logged_only: 0, pending_review: 1, auto_applied: 2 } as const
    const doubts = fc.subarray([...DOUBTS])
    fc.assert(
      fc.property(doubts, doubts, (some, more) => {
        const decide = (all: typeof DOUBTS) => {
          const rule = Object.assign({}, ...all.map(([, part]) => part))
          return decideRule(
            someRule(rule),
            Object.assign({}, CALM, ...all.map(([, , part]) => part)),
          )
        }
        expect(rank[decide([...some, ...more]).decision]).toBeLessThanOrEqual(
          rank[decide(some).decision],
        )
      }),
    )
  })
})
