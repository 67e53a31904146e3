import { afterAll, beforeAll, describe, expect, test } from "bun:test"
import { link, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import fc from "fast-check"
import { verifyAudit } from "../../src/sandbox/audit-verify.ts"
import { MemoryHeads, openTestLog, verify } from "./audit-fixture.ts"

/** A log of several files, and copies of it that something was done to. */

const ENTRIES = 12
let root: string
let names: readonly string[]
let contents: readonly Buffer[]
const heads = new MemoryHeads()
const hashes: string[] = []

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), "audit-verify-"))
  const original = join(root, "original")
  const log = await openTestLog(original, heads, 600)
  for (let index = 0; index < ENTRIES; index += 1) {
    const { hash } = await log.append("run", { index, class: "sql_injection", note: 'é "x"' })
    hashes.push(hash)
  }
  await log.close()
  names = (await readdir(original)).toSorted().toSorted((one, other) => other.length - one.length)
  contents = await Promise.all(names.map((name) => readFile(join(original, name))))
})

afterAll(() => rm(root, { recursive: true }))

/** What is wrong with the files when their contents are these; undefined leaves a file out. */
async function brokenOf(changed: readonly (Buffer | undefined)[]) {
  const copy = await mkdtemp(join(root, "copy-"))
  for (const [index, content] of changed.entries()) {
    if (content !== undefined)
      await writeFile(join(copy, names[index] ?? "sandbox-audit.000099.jsonl"), content)
  }
  const { broken } = await verify(copy, heads)
  await rm(copy, { recursive: true })
  return broken
}

/** Every line of the log, in order, with its newline. */
function allLines(): readonly string[] {
  return contents.flatMap((content) => content.toString("latin1").split(/(?<=\n)/))
}

/** The lines in one file of the first name that sorts last: the current one. */
function brokenOfLines(lines: readonly string[]) {
  const only = names.map((name) =>
    name === "sandbox-audit.jsonl" ? Buffer.from(lines.join(""), "latin1") : undefined,
  )
  return brokenOf(only)
}

const position = fc.integer({ min: 0, max: 1_000_000 })

/** What one may do to whole lines; `first` is where the order is wrong from, `second` lies behind. */
const EDITS = {
  remove: (lines: readonly string[], first: number) => lines.toSpliced(first, 1),
  repeat: (lines: readonly string[], first: number) =>
    lines.toSpliced(first + 1, 0, lines[first] ?? ""),
  cut: (lines: readonly string[], first: number) => lines.slice(0, first),
  swap: (lines: readonly string[], first: number, second: number) =>
    lines.with(first, lines[second] ?? "").with(second, lines[first] ?? ""),
} as const

describe("verifyAudit", () => {
  test("verifyAudit accepts the log as it was written, in however many files", async () => {
    expect(names.length).toBeGreaterThan(3)
    expect(await brokenOf(contents)).toBeUndefined()
    expect(await brokenOfLines(allLines())).toBeUndefined()
  })

  test("verifyAudit detects any change of a single byte, in the line that it is in or the next", async () => {
    const change = fc.record({
      file: position,
      at: position,
      byte: fc.integer({ min: 0, max: 255 }),
    })
    await fc.assert(
      fc.asyncProperty(change, async ({ file, at, byte }) => {
        const index = file % names.length
        const bytes = Buffer.from(contents[index] ?? "")
        const offset = at % bytes.length
        fc.pre(bytes[offset] !== byte)
        const line = bytes.subarray(0, offset).toString("latin1").split("\n").length
        bytes[offset] = byte
        const broken = await brokenOf(
          contents.map((content, each) => (each === index ? bytes : content)),
        )
        expect(broken).toMatchObject({ file: names[index] ?? "", line })
      }),
      { numRuns: 300 },
    )
  })

  test("verifyAudit detects a byte that was put in or taken out", async () => {
    const change = fc.record({
      file: position,
      at: position,
      byte: fc.option(fc.integer({ min: 0, max: 255 })),
    })
    await fc.assert(
      fc.asyncProperty(change, async ({ file, at, byte }) => {
        const index = file % names.length
        const whole = contents[index] ?? Buffer.alloc(0)
        const offset = at % whole.length
        const put = byte === null ? [] : [byte]
        const rest = whole.subarray(byte === null ? offset + 1 : offset)
        const bytes = Buffer.concat([whole.subarray(0, offset), Buffer.from(put), rest])
        fc.pre(!bytes.equals(whole))
        expect(
          await brokenOf(contents.map((content, each) => (each === index ? bytes : content))),
        ).toBeDefined()
      }),
      { numRuns: 200 },
    )
  })

  test("verifyAudit names the first line after a removal, a repetition, a swap or a cut", async () => {
    const operation = fc.constantFrom(...(Object.keys(EDITS) as (keyof typeof EDITS)[]))
    await fc.assert(
      fc.asyncProperty(operation, position, position, async (what, one, other) => {
        const lines = allLines()
        const [first = 0, second = 0] = [one % lines.length, other % lines.length].toSorted(
          (a, b) => a - b,
        )
        fc.pre(what !== "swap" || first !== second)
        const line = what === "repeat" ? first + 2 : first + 1
        const broken = await brokenOfLines(EDITS[what](lines, first, second))
        expect(broken).toMatchObject({ line, sequence: line })
      }),
      { numRuns: 200 },
    )
  })

  test("verifyAudit detects a file that is gone, doubled or under the name of another", async () => {
    for (const index of names.keys()) {
      expect(
        await brokenOf(contents.map((content, each) => (each === index ? undefined : content))),
      ).toBeDefined()
      expect(await brokenOf([...contents, contents[index] ?? Buffer.alloc(0)])).toBeDefined()
    }
    expect(await brokenOf(contents.toReversed())).toMatchObject({ file: names[0] ?? "", line: 1 })
  })

  test("verifyAudit detects a whole new chain, by the head that was kept or noted", async () => {
    const forged = join(root, "forged")
    const forgedHeads = new MemoryHeads()
    const log = await openTestLog(forged, forgedHeads)
    for (let index = 0; index < ENTRIES; index += 1) await log.append("run", { nothing: index })
    await log.close()
    expect((await verify(forged, heads)).broken).toMatchObject({ line: ENTRIES, sequence: ENTRIES })
    expect((await verify(forged, forgedHeads)).broken).toBeUndefined()
    const noted = hashes[4] ?? ""
    expect((await verify(forged, forgedHeads, noted)).broken?.problem).toContain("was given")
    expect((await verify(join(root, "original"), heads, noted.slice(0, 13))).broken).toBeUndefined()
  })

  test("verifyAudit tells an entry that somebody chained to the end from one that is being written", async () => {
    const behind = { count: ENTRIES - 1, hash: hashes[ENTRIES - 2] ?? "" }
    const original = join(root, "original")
    const ahead = new MemoryHeads()
    ahead.kept = behind
    expect((await verify(original, ahead)).broken).toMatchObject({ sequence: ENTRIES })
    // the server keeps its head while the verification waits
    const sleep = async () => {
      ahead.kept = heads.kept
    }
    ahead.kept = behind
    const running = await verifyAudit(original, { readHead: async () => ahead.read(), sleep })
    expect(running.broken).toBeUndefined()
  })

  test("verifyAudit reads a file once that is set aside while it is read", async () => {
    // seen at that moment, one file has both names
    const both = await mkdtemp(join(root, "both-"))
    await writeFile(join(both, "sandbox-audit.jsonl"), allLines().join(""), "latin1")
    await link(join(both, "sandbox-audit.jsonl"), join(both, "sandbox-audit.000001.jsonl"))
    expect(await verify(both, heads)).toMatchObject({
      entries: ENTRIES,
      files: 1,
      broken: undefined,
    })
  })

  test("verifyAudit ends at a line that is longer than any entry", async () => {
    const [first = ""] = allLines()
    const long = await brokenOfLines([first, "x".repeat(100_000)])
    expect(long).toMatchObject({ line: 2, sequence: 2 })
    expect(await brokenOfLines([first, `${"[".repeat(15_000)}\n`])).toMatchObject({ line: 2 })
  })
})
