import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { mkdtemp, readdir, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { runCommandLine } from "../../src/commands/program.ts"
import { dataDirectoryPaths, ownDataDirectory } from "../../src/store/data-directory.ts"
import { openDeadLetterStore } from "../../src/store/dead-letter-store.ts"
import { record } from "../support/list-source.ts"
import { recordTerminal } from "../support/terminal.ts"

/** Without a server: the commands open the store themselves. What a server adds, start.test shows. */

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "letters-"))
  ownDataDirectory(directory).release()
})

afterEach(() => rm(directory, { recursive: true }))

async function run(...args: readonly string[]) {
  const terminal = recordTerminal({ SENTINEL_DATA_DIR: directory })
  const exitCode = await runCommandLine(["dead-letters", ...args], terminal)
  return { exitCode, out: terminal.written(), err: terminal.noted() }
}

async function bury(values: readonly (string | Uint8Array)[], code = "MALFORMED") {
  const store = openDeadLetterStore(dataDirectoryPaths(directory).store)
  for (const [index, value] of values.entries()) {
    const failed = { ...record(index, "", { topic: "inbox" }), value: Buffer.from(value) }
    const why = { code, operator: "decode_event", message: "evil \u001b[2J", attempts: 1 }
    await store.write({ ...why, record: failed, failedAtMs: Date.now() - 1_000 + index })
  }
  await store.close()
}

describe("dead-letters", () => {
  test("list shows nothing that a terminal obeys, and filters by code", async () => {
    expect((await run("list")).out).toBe("no dead letters\n")
    await bury(["a\u001b[2J", "b"])
    await bury(["c"], "HASH_MISMATCH")
    const { out } = await run("list", "--code", "MALFORMED")
    expect(out.trim().split("\n")).toHaveLength(3)
    expect(out).toContain("evil \\u001b[2J")
    const json = await run("list", "--json", "--limit", "2")
    const lines = json.out.trim().split("\n")
    expect(lines.map((line) => JSON.parse(line).state)).toEqual(["open", "open"])
    expect(`${out}${json.out}`).not.toContain("\u001b")
    expect((await run("list", "--since", "yesterday")).err).toContain("MALFORMED: since")
  })

  test("show prints the original bytes, by the id that list shows", async () => {
    await bury([Uint8Array.of(0x7b, 0xff, 0x1b)])
    const [, row = ""] = (await run("list")).out.split("\n")
    const { out } = await run("show", row.split(" ")[0] ?? "")
    expect(out).toContain("7b ff 1b")
    expect(out).not.toContain("\u001b")
    const json = JSON.parse((await run("show", row.split(" ")[0] ?? "", "--json")).out)
    expect(Buffer.from(json.value_base64, "base64")).toEqual(Buffer.of(0x7b, 0xff, 0x1b))
    expect(await run("show", "0".repeat(64))).toMatchObject({ exitCode: 1, out: "" })
  })

  test("redrive submits the very bytes to the inbox once, and repeats it only with --again", async () => {
    const bytes = ['{"session_id": 1}', "two"]
    await bury(bytes)
    const inbox = dataDirectoryPaths(directory).inbox
    const unsaid = await run("redrive")
    expect([unsaid.exitCode, unsaid.err]).toEqual([2, expect.stringContaining("--all")])
    expect(await readdir(inbox)).toEqual([])
    expect((await run("redrive", "--all")).out).toBe("2 put back, 0 failed\n")
    const files = await readdir(inbox)
    const texts = await Promise.all(files.map((file) => Bun.file(join(inbox, file)).text()))
    expect(texts.toSorted()).toEqual(bytes.toSorted())
    await Promise.all(files.map((file) => rm(join(inbox, file))))
    expect((await run("redrive", "--code", "MALFORMED")).out).toContain("2 put back before")
    expect(await readdir(inbox)).toEqual([])
    expect(
      JSON.parse((await run("redrive", "--all", "--again", "--json")).out).redriven,
    ).toHaveLength(2)
    expect(await readdir(inbox)).toHaveLength(2)
    expect((await run("list", "--json")).out).toContain('"redrives":2')
  })

  test("redrive names what it cannot put back, and fails", async () => {
    await bury(["x"])
    const { exitCode, out } = await run("redrive", "0".repeat(64))
    expect([exitCode, out]).toEqual([
      1,
      "000000000000  NOT_FOUND: there is no such dead letter\n0 put back, 1 failed\n",
    ])
  })
})
