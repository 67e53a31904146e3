import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { copyFile, mkdtemp, readdir, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import type { Evaluation } from "../../src/commands/evaluate.ts"
import { EXIT, runCommandLine } from "../../src/commands/program.ts"
import { generatePayloads } from "../../src/ml/generators/payloads.ts"
import { recordTerminal } from "../support/terminal.ts"

/** The command with the shipped models, on payloads of the generators under a seed of its own. */

const EXAMPLES = resolve(import.meta.dir, "../../examples")

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "sentinel-evaluate-"))
})

afterEach(async () => {
  await rm(directory, { recursive: true, force: true })
})

async function run(...args: readonly string[]) {
  const terminal = recordTerminal({ SENTINEL_DATA_DIR: join(directory, "data") })
  const exitCode = await runCommandLine(["evaluate", ...args], terminal)
  return { exitCode, stdout: terminal.written(), stderr: terminal.noted() }
}

async function writeLines(name: string, rows: Iterable<unknown>): Promise<string> {
  const file = join(directory, name)
  await Bun.write(file, Array.from(rows, (row) => `${JSON.stringify(row)}\n`).join(""))
  return file
}

describe("evaluate", () => {
  test("evaluate --report writes a page, its charts and the figures that --json prints", async () => {
    const file = await writeLines("rows.jsonl", generatePayloads({ seed: 271_828, count: 400 }))
    const report = join(directory, "report")
    const { exitCode, stdout, stderr } = await run(file, "--json", "--report", report)
    expect({ exitCode, stderr }).toEqual({ exitCode: EXIT.ok, stderr: "" })
    const names = (await readdir(report)).sort()
    expect(names).toEqual([
      "index.html",
      "precision-recall.svg",
      "recall-fpr.svg",
      "reliability.svg",
      "report.json",
    ])
    expect(await Bun.file(join(report, "report.json")).text()).toBe(stdout)
    const { payloads } = JSON.parse(stdout) as Evaluation
    expect(payloads?.rows).toBe(400)
    expect(payloads?.operatingPoints.map(({ rate }) => rate)).toEqual([0.01, 0.005, 0.001, 0.0002])
    expect(payloads?.robustness).toHaveLength(12)
    expect(Object.keys(payloads?.intervals ?? {})).toContain("recall")
  }, 30_000)

  test("evaluate --errors 0 keeps every text of the data out of what it prints", async () => {
    const secret = "a-text-that-nobody-may-see"
    const rows = [
      { text: `${secret}' OR '1'='1`, label: "benign", source: "one" },
      { text: `${secret} quiet`, label: "xss", source: "two" },
    ]
    const file = await writeLines("rows.jsonl", rows)
    expect((await run(file)).stdout).toContain(secret)
    for (const format of [[], ["--json"]]) {
      const { stdout } = await run(file, "--errors", "0", ...format)
      expect(stdout).toContain("one")
      expect(stdout).not.toContain(secret)
    }
  })

  test("evaluate --without leaves the sources out that it names", async () => {
    const rows = ["one", "two", "three"].map((source) => ({ text: "x", label: "benign", source }))
    const file = await writeLines("rows.jsonl", rows)
    const { stdout } = await run(file, "--json", "--without", "one", "three")
    expect(Object.keys((JSON.parse(stdout) as Evaluation).payloads?.bySource ?? {})).toEqual([
      "two",
    ])
  })

  test("evaluate --sessions takes labels of evidence that lies beside them", async () => {
    await copyFile(join(EXAMPLES, "attack-session.json"), join(directory, "1.json"))
    await copyFile(join(EXAMPLES, "benign-session.json"), join(directory, "2.json"))
    const attack = { session_id: "example-attack-1", truth: "attack", population: "scanner" }
    const benign = { session_id: "example-benign-1", truth: "benign" }
    const file = await writeLines("labels.jsonl", [attack, benign])
    const { exitCode, stdout } = await run("--sessions", file, "--json")
    expect(exitCode).toBe(EXIT.ok)
    expect((JSON.parse(stdout) as Evaluation).sessions).toMatchObject([
      { truth: "attack", sessions: 1, flagged: 1 },
      { truth: "attack", population: "scanner", sessions: 1 },
      { truth: "benign", sessions: 1, flagged: 0 },
    ])
  })

  test("evaluate --sessions refuses labels without evidence rather than score the rest", async () => {
    await copyFile(join(EXAMPLES, "benign-session.json"), join(directory, "1.json"))
    const benign = { session_id: "example-benign-1", truth: "benign" }
    const file = await writeLines("labels.jsonl", [benign, { session_id: "none", truth: "attack" }])
    const { exitCode, stdout, stderr } = await run("--sessions", file)
    expect({ exitCode, stdout }).toEqual({ exitCode: EXIT.refused, stdout: "" })
    expect(stderr).toContain("session_id")
  })

  test.each(["data", "sessions"])("evaluate refuses %s without a row", async (what) => {
    const file = await writeLines("empty.jsonl", [])
    const { exitCode, stdout, stderr } = await run(...(what === "data" ? [] : ["--sessions"]), file)
    expect({ exitCode, stdout }).toEqual({ exitCode: EXIT.refused, stdout: "" })
    expect(stderr).toContain(`${what}: expected at least one labelled`)
  })
})
