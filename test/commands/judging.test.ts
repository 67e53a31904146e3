import { afterEach, beforeEach, describe, expect, test } from "bun:test"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { gunzipSync, gzipSync } from "node:zlib"
import { EXIT, runCommandLine } from "../../src/commands/program.ts"
import type { ExplainedVerdict } from "../../src/events.ts"
import { recordTerminal } from "../support/terminal.ts"

/** The commands that judge, with the shipped models, on the examples of the repository. */

const EXAMPLES = resolve(import.meta.dir, "../../examples")
const ATTACK = join(EXAMPLES, "attack-session.json")
const BENIGN = join(EXAMPLES, "benign-session.json")

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), "sentinel-commands-"))
})

afterEach(async () => {
  await rm(directory, { recursive: true, force: true })
})

async function run(...args: readonly string[]) {
  const terminal = recordTerminal({ SENTINEL_DATA_DIR: join(directory, "data") })
  const exitCode = await runCommandLine(args, terminal)
  return { exitCode, stdout: terminal.written(), stderr: terminal.noted() }
}

function parseLines<T>(text: string): readonly T[] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as T)
}

type AnalyzedLine = Pick<ExplainedVerdict, "verdict" | "explanation"> & { session_id: string }

describe("analyze", () => {
  test("analyze writes one line for each document, in input order, with session_id first", async () => {
    const { exitCode, stdout, stderr } = await run("analyze", BENIGN, ATTACK)
    expect(exitCode).toBe(EXIT.ok)
    expect(stderr).toBe("")
    const lines = parseLines<AnalyzedLine>(stdout)
    expect(lines.map((line) => line.verdict.verdict)).toEqual(["benign", "simulate"])
    expect(lines.map((line) => line.explanation.verdict)).toEqual(["benign", "simulate"])
    expect(lines.map((line) => Object.keys(line)[0])).toEqual(["session_id", "session_id"])
  })

  test("analyze explains: base value and importances add up to the score", async () => {
    const [line] = parseLines<AnalyzedLine>((await run("analyze", ATTACK)).stdout)
    const { base_value: base, feature_importances: importances } = line?.explanation ?? {}
    const sum = (importances ?? []).reduce((total, { importance }) => total + importance, base ?? 0)
    expect(sum).toBeCloseTo(line?.verdict.final_score ?? Number.NaN, 9)
  })

  test("analyze reads JSON lines, gzipped by name, and goes on after a refused one", async () => {
    const attack: unknown = await Bun.file(ATTACK).json()
    const tampered = structuredClone(attack) as { har: { log: { version: string } } }
    tampered.har.log.version = "1.3"
    const file = join(directory, "evidence.jsonl.gz")
    const lines = [attack, tampered, attack].map((document) => JSON.stringify(document))
    await Bun.write(file, gzipSync(`${lines.join("\n")}\n`))
    const { exitCode, stdout } = await run("analyze", file)
    expect(exitCode).toBe(EXIT.refused)
    const codes = parseLines<{ error?: { code: string } }>(stdout).map(({ error }) => error?.code)
    expect(codes).toEqual([undefined, "HASH_MISMATCH", undefined])
  })

  test("analyze names the session of a document that it refuses, and escapes it", async () => {
    const tampered = { ...((await Bun.file(ATTACK).json()) as object), session_id: "s\u009b1" }
    const file = join(directory, "tampered.json")
    await Bun.write(file, JSON.stringify({ ...tampered, har: {} }))
    const { stdout } = await run("analyze", file)
    expect(parseLines(stdout)).toMatchObject([
      { session_id: "s\u009b1", error: { code: "HASH_MISMATCH", field: expect.any(String) } },
    ])
    expect(stdout).toContain('"s\\u009b1"')
  })

  test("analyze refuses a file that is not there in a line of its own", async () => {
    const { exitCode, stdout } = await run("analyze", join(directory, "none.json"), BENIGN)
    expect(exitCode).toBe(EXIT.refused)
    const [first, second] = parseLines<{ error?: unknown; session_id?: string }>(stdout)
    expect(first?.error).toBeDefined()
    expect(second?.session_id).toBe("example-benign-1")
  })
})

describe("classify", () => {
  test("classify keeps order and fields, reads and writes gzip by name", async () => {
    const input = join(directory, "in.jsonl.gz")
    const output = join(directory, "out.jsonl.gz")
    const rows = [
      { n: 1, text: "1' OR '1'='1" },
      { n: 2, text: "O'Brien & Sons", context: { page: "search" } },
      { n: 3, text: "../../../../etc/passwd", kind: "path" },
    ]
    await Bun.write(input, gzipSync(rows.map((row) => JSON.stringify(row)).join("\n")))
    const { exitCode, stdout } = await run("classify", "--in", input, "--out", output)
    expect({ exitCode, stdout }).toEqual({ exitCode: EXIT.ok, stdout: "" })
    const written = gunzipSync(await Bun.file(output).bytes()).toString()
    const lines = parseLines<Record<string, unknown>>(written)
    expect(lines).toMatchObject(rows)
    const classes = lines.map((line) => line.class)
    expect(classes).toEqual(["sql_injection", "benign", "path_traversal"])
    expect(Object.keys(lines[0] ?? {})).toContainValues(["confidence", "probabilities", "model"])
  })

  test("classify answers a line that it cannot read in its place, and exits with 1", async () => {
    const input = join(directory, "in.jsonl")
    await Bun.write(input, '{"text":"a"}\n{"text":7}\n{"text":"b"}\n')
    const { exitCode, stdout } = await run("classify", "--in", input)
    expect(exitCode).toBe(EXIT.refused)
    const lines = parseLines<{ text?: unknown; error?: { field?: string } }>(stdout)
    expect(lines.map(({ text }) => text)).toEqual(["a", undefined, "b"])
    expect(lines[1]?.error?.field).toBe("text")
  })
})

describe("evaluate", () => {
  test("evaluate counts the flagged share of each truth in a file of sessions", async () => {
    const file = join(directory, "sessions.jsonl")
    const line = async (truth: string, path: string) =>
      JSON.stringify({ truth, evidence: await Bun.file(path).json() })
    await Bun.write(file, `${await line("attack", ATTACK)}\n${await line("benign", BENIGN)}\n`)
    const { exitCode, stdout } = await run("evaluate", "--sessions", file, "--json")
    expect(exitCode).toBe(EXIT.ok)
    expect(JSON.parse(stdout).sessions).toMatchObject([
      { truth: "attack", sessions: 1, flagged: 1 },
      { truth: "benign", sessions: 1, flagged: 0 },
    ])
  })

  test("evaluate prints a table of payload classes and sources", async () => {
    const file = join(directory, "payloads.jsonl")
    const rows = [
      { text: "1' OR '1'='1", label: "sql_injection", source: "one" },
      { text: "a quiet evening", label: "benign", source: "two" },
    ]
    await Bun.write(file, rows.map((row) => JSON.stringify(row)).join("\n"))
    const { exitCode, stdout } = await run("evaluate", file)
    expect(exitCode).toBe(EXIT.ok)
    expect(stdout).toMatch(/^sql_injection +1 +1\.0000 +1\.0000 +1\.0000$/m)
    expect(stdout).toMatch(/^two +1 +0 /m)
  })

  test("evaluate without anything to judge is a usage error", async () => {
    expect((await run("evaluate")).exitCode).toBe(EXIT.usage)
  })
})

describe("topology, features, models", () => {
  test("topology draws every operator of the flow, as text, Mermaid and JSON", async () => {
    for (const format of [[], ["--mermaid"], ["--json"]]) {
      const { exitCode, stdout } = await run("topology", ...format)
      expect(exitCode).toBe(EXIT.ok)
      for (const name of ["verify_integrity", "classify_payloads", "record_verdict"]) {
        expect(stdout).toContain(name)
      }
    }
  })

  test("features prints a line for each feature", async () => {
    const { stdout } = await run("features")
    expect(stdout.trimEnd().split("\n").length).toBeGreaterThan(36)
    expect(stdout).toMatch(/^special_char_ratio /m)
  })

  test("models lists the shipped models with what was measured of them", async () => {
    const { exitCode, stdout } = await run("models", "--json")
    expect(exitCode).toBe(EXIT.ok)
    const models: readonly { model_id: string; status: string }[] = JSON.parse(stdout).models
    expect(models.map(({ model_id, status }) => [model_id.split("/")[0], status])).toEqual([
      ["payload-linear", "live"],
      ["session-forest", "live"],
    ])
  })
})

test("simulate refuses an empty payload", async () => {
  const { exitCode, stderr } = await run("simulate", "/dev/null")
  expect(exitCode).toBe(EXIT.refused)
  expect(stderr).toContain("payload: expected at least one byte")
})
