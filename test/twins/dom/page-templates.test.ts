import { expect, test } from "bun:test"
import { fillPage, PAGE_TEMPLATES } from "../../../src/twins/dom/page-templates.ts"

test("PAGE_TEMPLATES have names of their own and one place for the payload each", () => {
  expect(new Set(PAGE_TEMPLATES.map(({ name }) => name)).size).toBe(PAGE_TEMPLATES.length)
  expect(PAGE_TEMPLATES.filter(({ markup }) => markup.split("@").length !== 2)).toEqual([])
})

test("fillPage puts the payload in as it is, or with a backslash before quotes", () => {
  const filled = (name: string, value: string) =>
    PAGE_TEMPLATES.filter((template) => template.name === name).map((one) => fillPage(one, value))
  expect(filled("body", "$& <b>")[0]).toContain("Results for $& <b><")
  expect(filled("script-single-escaped", "\\'")[0]).toContain("query = '\\\\''")
})
