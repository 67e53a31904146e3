import { expect, test } from "bun:test"
import { renderTable } from "../../src/commands/table.ts"

test("renderTable aligns columns and leaves no trailing space", () => {
  const rows = [
    ["name", "value", ""],
    ["predict", "0.5", ""],
    ["x", "12", "met"],
  ]
  expect(renderTable(rows)).toBe("name     value\npredict  0.5\nx        12     met\n")
})

test("renderTable of no rows is empty", () => {
  expect(renderTable([])).toBe("")
})
