import { describe, expect, test } from "bun:test"
import type { Rule } from "../../src/rule.ts"
import { replacedRules } from "../../src/rules/replaced-rules.ts"
import { someRule } from "../support/some-rule.ts"

const UNION = "[uU][nN][iI][oO][nN]"

function rule(id: string, pattern: string, samples: readonly string[] = ["no such text"]): Rule {
  const some = someRule({ rule_id: id })
  const evidence = { ...some.evidence, sample_payloads: samples }
  return { ...some, match: { ...some.match, pattern }, evidence }
}

describe("replacedRules", () => {
  test("replacedRules names a rule whose alternatives are all among those of the other", () => {
    const better = rule("better", `${UNION}|outfile`)
    expect(replacedRules([rule("old", "outfile")], better, "query:q")).toHaveLength(1)
    expect(replacedRules([rule("old", "outfile|other")], better, "query:q")).toEqual([])
  })

  test("replacedRules names a rule all of whose samples the other blocks however they are sent", () => {
    const better = rule("better", UNION)
    const samples = ["1 union select 2", "1 UNION all select 3"]
    expect(replacedRules([rule("old", "1 union", samples)], better, "query:q")).toHaveLength(1)
    const missed = [...samples, "1 or 1=1"]
    expect(replacedRules([rule("old", "1 union", missed)], better, "query:q")).toEqual([])
  })

  test("replacedRules leaves the rule itself and rules against other attacks", () => {
    const better = rule("better", UNION)
    const other = rule("xss", UNION)
    const evidence = { ...other.evidence, attack_type: "xss" as const }
    expect(replacedRules([better, { ...other, evidence }], better, "query:q")).toEqual([])
  })
})
