import { describe, expect, test } from "bun:test"
import fc from "fast-check"
import { printable, printableBytes } from "../../src/commands/printable.ts"

describe("printable", () => {
  test("printable lets through nothing that a terminal obeys", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(printable(text)).not.toMatch(/[\p{Cc}\u200e\u200f\u2028-\u202e\u2066-\u2069]/u)
      }),
    )
    expect(printable("a\u001b[2Jb\n")).toBe("a\\u001b[2Jb\\u000a")
  })

  test("printableBytes shows text as text and anything else as hex", () => {
    expect(printableBytes(Buffer.from("é\n\u001b]0;x\u0007"))).toBe("é\n\\u001b]0;x\\u0007")
    expect(printableBytes(Uint8Array.of(0xff, 0x1b, 0x41))).toMatch(
      /^00000000 {2}ff 1b 41 .*\.\.A$/,
    )
  })

  test("printableBytes says what it leaves out", () => {
    const shown = printableBytes(Buffer.from("é".repeat(600_000)))
    expect(shown).toEndWith("... 151424 more bytes: --json has them")
  })
})
