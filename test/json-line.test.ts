import { expect, test } from "bun:test"
import fc from "fast-check"
import { jsonLine } from "../src/json-line.ts"

test("jsonLine writes one line that JSON.parse reads back, whatever the texts hold", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const line = jsonLine({ text })
      expect(JSON.parse(line)).toEqual({ text })
      expect(line.indexOf("\n")).toBe(line.length - 1)
    }),
  )
})

test("jsonLine escapes what a terminal would obey or reorder", () => {
  const hostile = "\u001b[31m\u009b31m\u007f\u202eevil\u2066\u2028"
  expect(jsonLine(hostile)).toMatch(/^[\x20-\x7e]+\n$/)
})
