import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import {
  appendFile,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  truncate,
  writeFile,
} from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { AuditLog } from "../../src/ports/sandbox.ts"
import { MemoryHeads, openTestLog, verify } from "./audit-fixture.ts"

let directory: string
let heads: MemoryHeads
const logs: AuditLog[] = []

beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), "audit-")), "audit")
  heads = new MemoryHeads()
})

afterEach(async () => {
  for (const log of logs.splice(0)) await log.close().catch(() => undefined)
  await rm(join(directory, ".."), { recursive: true })
})

async function open(fileBytesMax?: number): Promise<AuditLog> {
  const log = await openTestLog(directory, heads, fileBytesMax)
  logs.push(log)
  return log
}

const current = () => join(directory, "sandbox-audit.jsonl")

describe("openAuditLog", () => {
  test("append chains entries that anybody can check with a JSON parser and sha256", async () => {
    const log = await open()
    const first = await log.append("container_created", { limits: { pids: 64 }, image: "é\u2028" })
    const second = await log.append("run", { digest: "ab" })
    const [line = "", next = ""] = (await readFile(current(), "utf8")).split("\n")
    expect(JSON.parse(line)).toEqual(first)
    expect([first.sequence, first.previous]).toEqual([1, "0".repeat(64)])
    expect(second.previous).toBe(first.hash)
    // the keys stand sorted, so that without its own hash the line is what was hashed
    const hashed = next.replace(`"hash":"${second.hash}",`, "")
    expect(new Bun.CryptoHasher("sha256").update(hashed).digest("hex")).toBe(second.hash)
    expect(line).toContain('"image":"\\u00e9\\u2028"')
    expect(log.head()).toEqual({ count: 2, hash: second.hash })
    expect((await stat(current())).mode & 0o777).toBe(0o600)
  })

  test("append keeps the order of calls that come together, and one chain", async () => {
    const log = await open()
    const entries = await Promise.all(
      Array.from({ length: 600 }, (_, index) => log.append("run", { index })),
    )
    expect(entries.map(({ data }) => data.index)).toEqual(
      Array.from({ length: 600 }, (_, index) => index),
    )
    await log.close()
    expect(await verify(directory, heads)).toMatchObject({ entries: 600, broken: undefined })
  })

  test("append goes on in a new file without breaking the chain, also after a restart", async () => {
    for (let run = 0; run < 3; run += 1) {
      const log = await open(500)
      for (let index = 0; index < 4; index += 1) await log.append("run", { run, index })
      await log.close()
    }
    const files = await readdir(directory)
    expect(files.toSorted().slice(0, 2)).toEqual([
      "sandbox-audit.000001.jsonl",
      "sandbox-audit.000002.jsonl",
    ])
    const verified = await verify(directory, heads)
    expect(verified).toMatchObject({ entries: 12, files: files.length, broken: undefined })
    const tail = await (await open(500)).tail(5)
    expect(tail.map(({ sequence }) => sequence)).toEqual([8, 9, 10, 11, 12])
  })

  test("append copies the data, and refuses what is too large or too deep", async () => {
    const log = await open()
    const data = { reason: "timeout" }
    const appended = log.append("kill", data)
    data.reason = "nothing"
    expect((await appended).data).toEqual({ reason: "timeout" })
    const cyclic: Record<string, unknown> = {}
    cyclic.self = cyclic
    await expect(log.append("run", cyclic)).rejects.toThrow("levels")
    await expect(log.append("run", { text: "x".repeat(16_384) })).rejects.toThrow("larger than")
    expect(await log.tail(1000)).toHaveLength(1)
    await expect(log.tail(0)).rejects.toThrow("limit")
  })

  test("append rejects where the head cannot be kept, and goes on once it can", async () => {
    const log = await open()
    heads.failure = new Error("disk full")
    await log.append("run", { index: 0 })
    await expect(log.append("run", { index: 1 })).rejects.toThrow("disk full")
    heads.failure = undefined
    await expect(log.append("run", { index: 2 })).rejects.toThrow("disk full")
    expect((await log.append("run", { index: 3 })).sequence).toBe(2)
    await log.close()
    expect(await verify(directory, heads)).toMatchObject({ entries: 2, broken: undefined })
  })

  test("append rejects once somebody else wrote, cut, replaced or removed the file", async () => {
    const log = await open()
    await log.append("run", {})
    const bytes = await readFile(current())
    await appendFile(current(), "{}\n")
    await expect(log.append("run", {})).rejects.toMatchObject({ code: "AUDIT_LOG_BROKEN" })
    await truncate(current(), 10)
    await expect(log.append("run", {})).rejects.toThrow("length")
    await writeFile(`${current()}.copy`, bytes)
    await rename(`${current()}.copy`, current())
    await expect(log.append("run", {})).rejects.toThrow("another file")
    await rm(current())
    await expect(log.append("run", {})).rejects.toThrow("another file")
  })
})

describe("openAuditLog after a crash", () => {
  test("openAuditLog cuts off a torn last line that nobody acknowledged, and records it", async () => {
    const log = await open()
    await log.append("run", { index: 0 })
    await log.close()
    await appendFile(current(), '{"data":{"index":1},"ev')
    expect((await verify(directory, heads)).broken).toMatchObject({ line: 2, sequence: 2 })
    const [, recovered] = await (await open()).tail(10)
    expect(recovered).toMatchObject({
      event_type: "audit_recovered",
      data: { bytes_cut: 23, entries: 0 },
    })
    await logs.at(-1)?.close()
    expect(await verify(directory, heads)).toMatchObject({ entries: 2, broken: undefined })
  })

  test("openAuditLog takes over entries that were written before their head was kept", async () => {
    const log = await open(300)
    await log.append("run", { index: 0 })
    const kept = heads.kept
    await log.append("run", { index: 1 })
    await log.append("run", { index: 2 })
    await log.close()
    heads.kept = kept
    expect((await verify(directory, heads)).broken).toMatchObject({ sequence: 2 })
    const resumed = await open(300)
    expect((await resumed.tail(1))[0]).toMatchObject({ sequence: 4, data: { entries: 2 } })
  })

  test("openAuditLog goes on where a crash left no current file", async () => {
    const log = await open(100)
    await log.append("run", {})
    await log.close()
    await rename(current(), join(directory, "sandbox-audit.000001.jsonl"))
    const resumed = await open(100)
    expect((await resumed.append("run", {})).sequence).toBe(2)
    await resumed.close()
    expect(await verify(directory, heads)).toMatchObject({
      entries: 2,
      files: 2,
      broken: undefined,
    })
  })

  test("openAuditLog refuses a log that no crash explains", async () => {
    const log = await open()
    for (let index = 0; index < 3; index += 1) await log.append("run", { index })
    await log.close()
    const bytes = await readFile(current())
    const refused = { code: "AUDIT_LOG_BROKEN" }
    const lines = bytes.toString().split("\n")
    await writeFile(current(), `${lines.slice(0, 2).join("\n")}\n`)
    await expect(open()).rejects.toMatchObject(refused)
    await writeFile(current(), bytes.subarray(0, -1))
    await expect(open()).rejects.toMatchObject(refused)
    await writeFile(current(), bytes.toString().replace('"index":1', '"index":7'))
    await expect(open()).rejects.toMatchObject(refused)
    await writeFile(current(), bytes)
    heads.kept = undefined
    await expect(open()).rejects.toThrow("no head")
    await rm(current())
    heads.kept = { count: 3, hash: "0".repeat(64) }
    await expect(open()).rejects.toThrow("cut before entry 3")
  })
})
