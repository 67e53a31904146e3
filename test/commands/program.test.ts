import { describe, expect, test } from "bun:test"
import { EXIT, runCommandLine } from "../../src/commands/program.ts"
import { recordTerminal } from "../support/terminal.ts"

const COMMANDS = [
  "start",
  "serve",
  "process",
  "analyze",
  "classify",
  "train",
  "models",
  "features",
  "evaluate",
  "topology",
  "dead-letters",
  "doctor",
  "test",
  "bench",
]

async function run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const terminal = recordTerminal(env)
  const exitCode = await runCommandLine(args, terminal)
  return { exitCode, stdout: terminal.written(), stderr: terminal.noted() }
}

describe("runCommandLine", () => {
  test("runCommandLine takes for an id nothing that leads to another path of the API", async () => {
    for (const id of ["", ".", ".."]) {
      for (const command of ["rules show", "models show", "models promote", "dead-letters show"]) {
        const terminal = recordTerminal()
        expect(await runCommandLine([...command.split(" "), id], terminal)).toBe(2)
        expect(terminal.noted()).toContain("Expected an id.")
      }
    }
  })

  test("runCommandLine lists every command in --help, on stdout", async () => {
    const { exitCode, stdout, stderr } = await run(["--help"])
    expect(exitCode).toBe(EXIT.ok)
    expect(stderr).toBe("")
    for (const command of COMMANDS) expect(stdout).toContain(`\n  ${command} `)
  })

  test.each(COMMANDS)("runCommandLine answers %s --help without running it", async (command) => {
    const { exitCode, stdout } = await run([command, "--help"])
    expect(exitCode).toBe(EXIT.ok)
    expect(stdout).toStartWith(`Usage: sentinel ${command}`)
  })

  test.each([
    [["strat"], "Did you mean start?"],
    [["analyse", "x.json"], "Did you mean analyze?"],
    [["models", "--jsn"], "Did you mean --json?"],
    [["bench", "seed-target"], "Did you mean seed-targets?"],
  ])("runCommandLine refuses %p and names the nearest", async (args, suggestion) => {
    const { exitCode, stdout, stderr } = await run(args)
    expect(exitCode).toBe(EXIT.usage)
    expect(stdout).toBe("")
    expect(stderr).toContain(suggestion)
  })

  test.each([
    [["analyze"]],
    [["start", "surplus"]],
    [["train", "--seed", "1e3"]],
    [["train", "--only", "all"]],
    [[]],
  ])("runCommandLine refuses %p as a usage error", async (args) => {
    const { exitCode, stdout } = await run(args)
    expect(exitCode).toBe(EXIT.usage)
    expect(stdout).toBe("")
  })

  test("runCommandLine reports every bad variable by name and never its value", async () => {
    const env = { SENTINEL_PORT: "eight-thousand", SENTINEL_TAG_THRESHOLD: "7" }
    const { exitCode, stderr } = await run(["start"], env)
    expect(exitCode).toBe(EXIT.refused)
    expect(stderr).toContain("CONFIG_INVALID")
    expect(stderr).toContain("SENTINEL_PORT: ")
    expect(stderr).toContain("SENTINEL_TAG_THRESHOLD: ")
    expect(stderr).not.toContain("eight-thousand")
  })

  test("runCommandLine names SENTINEL_DATA_DIR where the data directory cannot be made", async () => {
    const { exitCode, stderr } = await run(["start"], { SENTINEL_DATA_DIR: "/proc/sentinel" })
    expect(exitCode).toBe(EXIT.refused)
    expect(stderr).toContain("CONFIG_INVALID")
    expect(stderr).toContain("SENTINEL_DATA_DIR: the directory cannot be written (ENOENT)")
    expect(stderr).not.toContain("    at ")
  })
})
