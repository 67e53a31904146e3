import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { MemoryHeads, openTestLog, verify } from "./audit-fixture.ts"

/** Files of some 15 entries, of which two are kept beside the current one. */

const FILE_BYTES = 4_000
const FILES_MAX = 2
let directory: string
let heads: MemoryHeads

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "audit-"))
  heads = new MemoryHeads()
})

afterEach(() => rm(directory, { recursive: true }))

/** @returns the hash of every entry by its sequence */
async function write(entries: number, filesMax = FILES_MAX): Promise<readonly string[]> {
  const log = await openTestLog(directory, heads, FILE_BYTES, filesMax)
  const hashes: string[] = []
  for (let index = 0; index < entries; index += 1) {
    const { sequence, hash } = await log.append("run", { index })
    hashes[sequence] = hash
  }
  await log.close()
  return hashes
}

async function files(): Promise<readonly string[]> {
  return (await readdir(directory)).toSorted()
}

describe("dropping the oldest files of the audit log", () => {
  test("append keeps as many files as it may, and verifyAudit says what they cover", async () => {
    await write(120)
    expect(await files()).toHaveLength(FILES_MAX + 1)
    const verified = await verify(directory, heads)
    expect(verified).toMatchObject({ files: FILES_MAX + 1, broken: undefined })
    expect(verified.first).toBeGreaterThan(10)
    expect(verified.first + verified.entries - 1).toBe(heads.kept?.count ?? 0)
    await write(3)
    expect((await verify(directory, heads)).broken).toBeUndefined()
  })

  test("openAuditLog drops what an earlier version kept, all at once", async () => {
    const hashes = await write(120, 1_000)
    expect((await files()).length).toBeGreaterThan(5)
    await write(0)
    expect(await files()).toHaveLength(FILES_MAX + 1)
    const { first, broken } = await verify(directory, heads)
    expect(broken).toBeUndefined()
    const dropped = hashes[first - 1] ?? ""
    expect((await verify(directory, heads, dropped)).broken).toBeUndefined()
    expect((await verify(directory, heads, hashes[first - 2])).broken?.problem).toContain("given")
  })

  test("verifyAudit accepts no other beginning than the one that the log says", async () => {
    await write(120)
    const [oldest = "", next = ""] = await files()
    const bytes = await readFile(join(directory, oldest), "latin1")
    await rm(join(directory, oldest))
    expect((await verify(directory, heads)).broken).toMatchObject({ file: next, line: 1 })
    const [, ...later] = bytes.split(/(?<=\n)/)
    await writeFile(join(directory, oldest), later.join(""))
    expect((await verify(directory, heads)).broken).toMatchObject({ file: oldest, line: 1 })
  })

  test("verifyAudit accepts what a crash left wherever the removal stopped", async () => {
    await write(120, 1_000)
    const all = await files()
    const contents = await Promise.all(all.map((name) => readFile(join(directory, name))))
    await write(0)
    for (const index of all.keys()) {
      const name = all.at(-1 - FILES_MAX - index) ?? ""
      await writeFile(join(directory, name), contents.at(-1 - FILES_MAX - index) ?? "")
      expect((await verify(directory, heads)).broken).toBeUndefined()
      if (name === all[0]) break
    }
    await write(0)
    expect((await verify(directory, heads)).files).toBe(FILES_MAX + 1)
  })

  test("openAuditLog drops nothing where the next file was tampered with", async () => {
    await write(120, 1_000)
    const all = await files()
    await writeFile(join(directory, all[1] ?? ""), "{}\n")
    await write(0)
    expect(await files()).toEqual(all)
  })
})
