import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { runCommandLine } from "../../src/commands/program.ts"
import { recordTerminal } from "../support/terminal.ts"

/** The command beside a process that writes, and after it was killed. */

const CHILD = join(import.meta.dir, "..", "sandbox", "audit-child.ts")
let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "audit-"))
})

afterEach(() => rm(directory, { recursive: true }))

async function verify(...options: readonly string[]) {
  const terminal = recordTerminal({ SENTINEL_DATA_DIR: directory })
  const exitCode = await runCommandLine(["audit", "verify", ...options], terminal)
  return { exitCode, out: terminal.written(), err: terminal.noted() }
}

function startWriter(launcher: readonly string[] = [], fileBytesMax = 100_000) {
  const command = [...launcher, process.execPath, CHILD, directory, `${fileBytesMax}`]
  return Bun.spawn(command, { stdout: "pipe", stderr: "inherit" })
}

/** Reads acknowledged hashes until there are enough, or the writer ends. */
async function hashesOf(writer: ReturnType<typeof startWriter>, enough = Number.POSITIVE_INFINITY) {
  let text = ""
  const reader = writer.stdout.getReader()
  while (text.length < enough * 65) {
    const { done, value } = await reader.read()
    if (done) break
    text += Buffer.from(value).toString()
  }
  return text.split("\n").slice(0, -1)
}

describe("audit verify", () => {
  test("audit verify accepts a log that is being written, and one whose writer was killed", async () => {
    expect(await verify()).toMatchObject({ exitCode: 0, out: "The audit log has no entries.\n" })
    for (let life = 0; life < 4; life += 1) {
      // takes over what the life before it left behind
      const writer = startWriter()
      const noted = (await hashesOf(writer, 300)).at(-1) ?? ""
      const beside = await verify("--head", noted, "--json")
      expect(JSON.parse(beside.out)).toMatchObject({ intact: true, broken: null })
      expect(beside.exitCode).toBe(0)
      writer.kill("SIGKILL")
      await writer.exited
    }
  })

  test("audit verify names file, line and sequence, and exits 1, after an edit and after a cut", async () => {
    const writer = startWriter()
    await hashesOf(writer, 30)
    writer.kill("SIGKILL")
    await writer.exited
    const path = join(directory, "audit", "sandbox-audit.jsonl")
    const text = await readFile(path, "utf8")
    await writeFile(path, text.replace('"index":1,', '"index":9,'))
    const edited = await verify()
    expect(edited.exitCode).toBe(1)
    expect(edited.out).toMatch(/^BROKEN at audit\/sandbox-audit\.jsonl:4 \(sequence 4\): /)
    await writeFile(path, `${text.split("\n").slice(0, 5).join("\n")}\n`)
    const cut = await verify("--json")
    expect(cut.exitCode).toBe(1)
    expect(JSON.parse(cut.out).broken).toMatchObject({ line: 6, sequence: 6 })
    await rm(join(directory, "audit"), { recursive: true })
    expect((await verify()).out).toContain("it was cut")
  })

  test("audit verify takes only the hash of an entry for --head", async () => {
    expect((await verify("--head", "xyz")).exitCode).toBe(2)
    const absent = await verify("--head", "0".repeat(13))
    expect(absent).toMatchObject({ exitCode: 1 })
  })

  // A limit on the size of files stands in for a full disk: both are a failed write.
  test("append is UNAVAILABLE where the disk takes no more, and what was acknowledged stays", async () => {
    const limited = `trap '' XFSZ; ulimit -f 512; exec "$0" "$@"`
    const hashes = await hashesOf(startWriter(["sh", "-c", limited], 16_777_216))
    expect(hashes.at(-1)).toBe("UNAVAILABLE")
    const { exitCode, out } = await verify("--head", hashes.at(-2) ?? "")
    expect(out).toContain("intact")
    expect(exitCode).toBe(0)
  })
})
