import { expect, test } from "bun:test"
import type { ProgramTrail } from "../../../src/twins/shell/shell-batch.ts"
import { readRecords, readTrace } from "../../../src/twins/shell/shell-trail.ts"

const NONCE = "5f0a"
const trail = (parts: Partial<ProgramTrail>): ProgramTrail => {
  return { records: "", output: "", errors: "", files: new Map(), ...parts }
}

test("readRecords gives name, input and arguments, which may hold line breaks", () => {
  const records = `\x1e${NONCE}\x1fcat\x1fpipe\x1f-n\x1fa\nb\x1e${NONCE}\x1fid\x1fnone`
  expect(readRecords(trail({ records }), NONCE)).toEqual([
    { name: "cat", arguments: ["-n", "a\nb"], input: "pipe" },
    { name: "id", arguments: [], input: "none" },
  ])
})

test("readRecords leaves out what the nonce does not prove", () => {
  const records = `id\x1eother\x1fid\x1fnone\x1e\x1fid\x1fnone\x1e`
  expect(readRecords(trail({ records }), NONCE)).toEqual([])
})

test("readTrace reads the lines of dash and of bash, which doubles the plus of substitutions", () => {
  const errors = `+${NONCE}  echo a\nid: not found\n+++${NONCE} 17 pwd\n++${NONCE} 18 printf %s x\n`
  const { commands, shellProcesses } = readTrace(trail({ errors }), NONCE)
  expect(commands.map(({ name, arguments: words }) => [name, ...words])).toEqual([
    ["echo", "a"],
    ["pwd"],
    ["printf", "%s", "x"],
  ])
  expect(shellProcesses).toBe(3)
})

test("readTrace takes no line of the payload for one of the shell", () => {
  const errors = `+ pwd\n+other  pwd\nx +${NONCE}  pwd\n`
  expect(readTrace(trail({ errors }), NONCE).commands).toEqual([])
})

test("readRecords and readTrace are bounded", () => {
  const many = trail({
    records: `\x1e${NONCE}\x1fid\x1fnone`.repeat(20_000),
    errors: `+${NONCE} 1 id\n`.repeat(20_000),
  })
  expect(readRecords(many, NONCE).length).toBeLessThanOrEqual(1_000)
  expect(readTrace(many, NONCE).commands.length).toBeLessThanOrEqual(1_000)
})
