import { describe, expect, test } from "bun:test"
import { ConfigInvalidError } from "../../../src/errors.ts"
import { parseNeverBlock, protectionsFrom } from "../../../src/rules/policy/never-block.ts"
import { someRule } from "../../support/some-rule.ts"

const LIST = parseNeverBlock(`
# what must never break
path /checkout
param sql_console   # the analysts' own tool
address 10.0.0.0/8
address 2001:db8::/32
address 192.0.2.7
`)
const rule = someRule()
const from = (origin: Partial<Parameters<typeof protectionsFrom>[2]>) =>
  protectionsFrom(LIST, rule, { location: "query:q", ...origin })

describe("protectionsFrom", () => {
  test("protectionsFrom leaves other rules alone", () => {
    expect(from({ address: "203.0.113.9" })).toEqual([])
    expect(from({ address: "not an address" })).toEqual([])
  })

  test("protectionsFrom names each protection that speaks against a rule", () => {
    expect(from({ location: "query:sql_console" })[0]).toContain("parameter sql_console")
    for (const address of ["10.200.3.4", "2001:db8::1", "192.0.2.7"]) {
      expect(from({ address })[0]).toContain("are never blocked")
    }
  })

  test("protectionsFrom knows an address with a port, in brackets or before those of proxies", () => {
    for (const address of ["10.2.3.4:51234", "[2001:db8::1]:443", "10.2.3.4, 203.0.113.1"]) {
      expect(from({ address })[0]).toContain("are never blocked")
    }
    expect(from({ address: "203.0.113.1, 10.2.3.4" })).toEqual([])
  })

  test("protectionsFrom knows a parameter within JSON and within brackets", () => {
    for (const location of [
      "json:$.filter.sql_console",
      "json:$.sql_console[0].x",
      "form:sql_console[]",
    ]) {
      expect(from({ location })[0]).toContain("parameter sql_console")
    }
    expect(from({ location: "json:$.my_sql_console" })).toEqual([])
  })

  test("protectionsFrom refuses a pattern that matches only what stands around a path or name", () => {
    const patterns = ["checkout[ ?]", "[?]sql_console=", "[&]sql_console=", '"sql_console":']
    for (const pattern of patterns) {
      const match = { ...rule.match, pattern }
      expect(protectionsFrom(LIST, someRule({ match }), { location: "query:q" })).toHaveLength(1)
    }
  })

  test("protectionsFrom refuses a pattern that would match a protected path or name", () => {
    const match = { ...rule.match, pattern: "chec[k]out" }
    expect(protectionsFrom(LIST, someRule({ match }), { location: "query:q" })).toEqual([
      "the path /checkout is never blocked",
    ])
    const text = { ...rule.match, type: "string" as const, pattern: "sql_con" }
    expect(protectionsFrom(LIST, someRule({ match: text }), { location: "query:q" })).toHaveLength(
      1,
    )
  })
})

describe("parseNeverBlock", () => {
  test("parseNeverBlock names every bad line by its number, and echoes none", () => {
    const text = "path checkout\nparam\naddress 10.0.0.0/33\naddress x\nsecret /x\npath /a /b"
    const parse = () => parseNeverBlock(text)
    expect(parse).toThrow(ConfigInvalidError)
    for (const line of [1, 2, 3, 4, 5, 6]) expect(parse).toThrow(`line ${line}:`)
    expect(parse).not.toThrow("secret")
    expect(() => parseNeverBlock("\n".repeat(10_000))).toThrow("more than 10000 lines")
  })
})
