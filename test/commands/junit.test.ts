import { describe, expect, test } from "bun:test"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { addCounts, parseCounts, readCounts } from "../../src/commands/junit.ts"

const HEAD = '<?xml version="1.0"?>\n<testsuites name="bun test" tests="9" assertions="12" '

describe("junit", () => {
  test("parseCounts separates passed, failed and skipped", () => {
    const report = `${HEAD}failures="2" skipped="3" time="0.01">\n</testsuites>`
    expect(parseCounts(report)).toEqual({ passed: 4, failed: 2, skipped: 3 })
  })

  test("parseCounts counts nothing in a report that is none", () => {
    expect(parseCounts("")).toEqual({ passed: 0, failed: 0, skipped: 0 })
  })

  test("addCounts adds each count to its own", () => {
    const one = { passed: 1, failed: 2, skipped: 3 }
    expect(addCounts(one, { passed: 10, failed: 20, skipped: 30 })).toEqual({
      passed: 11,
      failed: 22,
      skipped: 33,
    })
  })

  test("readCounts sees what bun really writes, and a crash as a failure", async () => {
    const directory = await mkdtemp(join(tmpdir(), "sentinel-junit-"))
    try {
      const file = join(directory, "sample.test.ts")
      await Bun.write(
        file,
        'import { expect, test } from "bun:test"\n' +
          'test("good", () => {})\ntest("bad", () => expect(1).toBe(2))\ntest.skip("none", () => {})\n',
      )
      const report = join(directory, "report.xml")
      const child = Bun.spawn(
        [process.execPath, "test", "--reporter=junit", `--reporter-outfile=${report}`, file],
        { cwd: directory, stdio: ["ignore", "ignore", "ignore"] },
      )
      const exitCode = await child.exited
      expect(await readCounts(report, exitCode)).toEqual({ passed: 1, failed: 1, skipped: 1 })
      const lost = join(directory, "never-written.xml")
      expect(await readCounts(lost, 137)).toEqual({ passed: 0, failed: 1, skipped: 0 })
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  })
})
