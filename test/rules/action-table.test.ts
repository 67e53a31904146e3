import { describe, expect, test } from "bun:test"
import { ruleAction, ruleLocations } from "../../src/rules/action-table.ts"

describe("ruleAction", () => {
  const table = [
    [9.8, 0.95, "block", 931],
    [7, 0.9, "block", 630],
    [7, 0.7, "block", 490],
    [7, 0.69, "tag", 483],
    [6.9, 0.9, "block", 621],
    [4, 0.8, "challenge", 320],
    [4, 0.1, "log", 40],
    [3.9, 0.99, "challenge", 386],
    [0, 0.7, "tag", 0],
    [0, 0, "log", 0],
    [10, 1, "block", 1_000],
  ] as const
  for (const [severity, confidence, action, priority] of table) {
    test(`ruleAction of severity ${severity} at confidence ${confidence} is ${action}`, () => {
      expect(ruleAction({ severity, confidence })).toEqual({ action, priority })
    })
  }
})

describe("ruleLocations", () => {
  test("ruleLocations names where Gatekeeper's words put the payload", () => {
    expect(ruleLocations("query:q")).toEqual(["args", "uri"])
    expect(ruleLocations("cookie:theme")).toEqual(["headers"])
    expect(ruleLocations("path:2")).toEqual(["uri"])
    expect(ruleLocations("json:$.a")).toEqual(["json_values", "body"])
    expect(ruleLocations("")).toEqual(["args", "body"])
  })
})
