import { describe, expect, test } from "bun:test"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { row } from "../../bench/harness.ts"
import { currentCommit, keepResult } from "../../bench/harness-results.ts"

describe("bench results", () => {
  test("keepResult names the file by suite, day and commit, and says on what it ran", async () => {
    const repository = await mkdtemp(join(tmpdir(), "sentinel-results-"))
    try {
      const rows = [row({ name: "n", value: 1, unit: "ms" })]
      const result = { suite: "sample", commit: "0123456789abcdef", rows }
      const options = { repository, date: new Date("2026-11-24T23:59:59Z"), quick: true }
      const path = await keepResult(result, options)
      expect(path).toBe("bench/results/sample-2026-11-24-0123456789ab.json")
      const kept = await Bun.file(join(repository, path)).json()
      expect(kept).toMatchObject({ ...result, quick: true, date: "2026-11-24T23:59:59.000Z" })
      expect(kept.machine).toMatchObject({ bun: Bun.version, arch: process.arch })
    } finally {
      await rm(repository, { recursive: true, force: true })
    }
  })

  test("currentCommit is the commit of a checkout, and unknown elsewhere", async () => {
    expect(await currentCommit(resolve(import.meta.dir, "../.."))).toMatch(
      /^[0-9a-f]{40}(\+changes)?$/,
    )
    expect(await currentCommit(tmpdir())).toBe("unknown")
  })
})
