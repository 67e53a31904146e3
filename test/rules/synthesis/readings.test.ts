import { describe, expect, setDefaultTimeout, test } from "bun:test"
import { readPath } from "../../../src/rules/synthesis/path-reading.ts"
import { readScript } from "../../../src/rules/synthesis/script-reading.ts"
import { readShell } from "../../../src/rules/synthesis/shell-reading.ts"
import { readSql } from "../../../src/rules/synthesis/sql-reading.ts"
import { readVerbatim } from "../../../src/rules/synthesis/verbatim-reading.ts"
import type { SimulatedClass } from "../../../src/twin-protocol.ts"
import { FAMILIES } from "./families.ts"
import { blocks, patternFor } from "./laboratory.ts"

// the machine may be busy: time is judged in bench/ alone
setDefaultTimeout(120_000)

describe("readings", () => {
  for (const [label, families] of Object.entries(FAMILIES)) {
    for (const { exploit, made, unseen, benign } of families) {
      test(`${label}: the pattern of ${exploit} finds its relatives and nothing benign`, () => {
        const pattern = patternFor(label as SimulatedClass, exploit, { relatives: made, benign })
        expect([exploit, ...made, ...unseen].filter((text) => !blocks(pattern, text))).toEqual([])
        expect(benign.filter((text) => blocks(pattern, text))).toEqual([])
      })
    }
  }

  test("readSql takes no token from comments and from what they cut off", () => {
    const names = readSql("1/*select*/ or 2>1 -- union").atoms.map(({ name }) => name)
    expect(names).toEqual([
      "value_start",
      "operand",
      "logic",
      "operand",
      "compare",
      "operand",
      "cut",
    ])
  })

  test("readShell begins at the first operator and tells commands from arguments", () => {
    const names = readShell("host \"a b\" && time c''url -s x | sh").atoms.map(({ name }) => name)
    const read = [
      "separator",
      "reserved",
      "command",
      "argument",
      "argument",
      "separator",
      "command",
    ]
    expect(names).toEqual(["value_start", ...read])
  })

  test("readPath reads climbs in any encoding as one token", () => {
    const names = readPath("..%2f..%252f..\\..%c0%afetc/passwd\0.png").atoms.map(({ name }) => name)
    expect(names).toEqual(["value_start", "climb", "name", "name", "nul", "name"])
  })

  test("readScript reads schemes through references, and quotes only before the first tag", () => {
    const text = '"><a href="&#106;ava&Tab;script&colon;alert(1)">'
    const names = readScript(text).atoms.map(({ name }) => name)
    expect(names).toEqual(["value_start", "breakout", "breakout", "tag", "scheme", "call"])
  })

  test("readVerbatim takes the longest stretch of ASCII and counts its characters as evidence", () => {
    const [, text] = readVerbatim("é 0123456789 ü ab").atoms
    expect(text?.ladder[0]?.evidence).toBeCloseTo(5)
    expect(readVerbatim("éü").atoms).toEqual([])
  })

  test("readings are bounded whatever comes in", () => {
    const flood = "';|<a onx=`../".repeat(5_000)
    for (const read of [readSql, readShell, readPath, readScript, readVerbatim]) {
      expect(read(flood).atoms.length).toBeLessThan(40)
    }
  })
})
