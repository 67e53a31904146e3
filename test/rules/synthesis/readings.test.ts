import { describe, expect, test } from "bun:test"
import { readPath } from "../../../src/rules/synthesis/path-reading.ts"
import { readScript } from "../../../src/rules/synthesis/script-reading.ts"
import { readShell } from "../../../src/rules/synthesis/shell-reading.ts"
import { readSql } from "../../../src/rules/synthesis/sql-reading.ts"
import { readVerbatim } from "../../../src/rules/synthesis/verbatim-reading.ts"
import type { SimulatedClass } from "../../../src/twin-protocol.ts"
import { blocks, patternFor } from "./laboratory.ts"

/** Relatives that no pattern was made from must be found all the same: structure, not literals. */
interface Family {
  readonly exploit: string
  readonly made: string[]
  readonly unseen: readonly string[]
  /** What looks like it and harms nobody; met by no rule. */
  readonly benign: readonly string[]
}

const FAMILIES: Readonly<Record<SimulatedClass, readonly Family[]>> = {
  sql_injection: [
    {
      exploit: "' UNION SELECT name, password FROM users--",
      made: ["1 union all select null, 'x' from t", '" uNion/**/sElect a,b from users-- x'],
      unseen: [
        "')\tunion\nall select/*a*/null, password FROM users #",
        "1 UNION SELECT (1),2 FROM t",
      ],
      benign: ["the union will select a chairman", "select a size from the table"],
    },
    {
      exploit: "1' OR '1'='1",
      made: ["2' or 'a'='a", "1' OR 7=7 -- "],
      unseen: ["x' oR/**/'zz'='zz"],
      benign: ["O'Neill or O'Brien", "1 or 2 rooms", "a=1 or b=2?"],
    },
  ],
  command_injection: [
    {
      exploit: "127.0.0.1; cat /etc/passwd",
      made: ["127.0.0.1|cat  /et?/passwd", "a\nc''at /etc/passwd"],
      unseen: [
        '8.8.8.8\nca""t$IFS/e?c/passwd',
        "x & c\\at /etc/./passwd #x",
        "x;c$@at /etc/passwd",
      ],
      benign: ["hour set; cat, return", "| cat | dog |", "cat /var/log is a command", "a&cat=5"],
    },
    {
      exploit: "$(id)",
      made: ["`id`", "x$( id)"],
      unseen: ["$(i''d)", "8.8.8.8`i\\d`"],
      benign: ["run `idea` to see", "price is $(10)"],
    },
  ],
  path_traversal: [
    {
      exploit: "../../../etc/passwd",
      made: ["..\\..\\../etc/passwd", "x/../../../../etc/passwd"],
      unseen: ["%2e%2e/%252e%252e//..%c0%af..%2fetc/./passwd%00.png", "../ETC/passwd"],
      benign: ["../style.css", "see ../../readme", "etc and passwords"],
    },
  ],
  xss: [
    {
      exploit: "<img src=x onerror=alert(1)>",
      made: ['<svg/onload="alert(1)">', "<body onpageshow = self['alert'](1)>"],
      unseen: [
        "<details open\nontoggle=(confirm)(1)>",
        '<input title="a b c" autofocus onfocus=\'top["alert"](1)\'>',
      ],
      benign: ["<b>on sale = 5</b>", "a < b and once = 1", '<img src="x.png" alt="on air">'],
    },
    {
      exploit: '<a href="javascript:alert(1)">x</a>',
      made: ['<a href="java\tscript:alert(1)">x</a>', '<a href="java&Tab;script:alert(1)">'],
      unseen: ['<a class=b href="JaVa&#9;ScRiPt:alert`1`">'],
      benign: [
        "learn javascript: the good parts (2008)",
        '<a href="https://a.example/javascript">',
      ],
    },
  ],
}

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
    expect(text?.ladder[0]?.evidence).toBeCloseTo(4)
    expect(readVerbatim("éü").atoms).toEqual([])
  })

  test("readings are bounded whatever comes in", () => {
    const flood = "';|<a onx=`../".repeat(5_000)
    for (const read of [readSql, readShell, readPath, readScript, readVerbatim]) {
      expect(read(flood).atoms.length).toBeLessThan(40)
    }
  })
})
