import { mkdirSync, renameSync } from "node:fs"
import { homedir } from "node:os"
import { join } from "node:path"
import type { RawRequest } from "../../../src/rules/sendings.ts"

const FOLDER = import.meta.dir
const SOURCES = ["go.mod", "go.sum", "main.go", "re2.go", "coraza.go"]

/** Which of the texts a pattern matches, and microseconds of processor time for all of them. */
export interface EngineAnswer {
  readonly matched: readonly number[]
  readonly cpu_us: number
}

type Search = (
  texts: readonly string[],
  patterns: readonly string[],
) => Promise<readonly EngineAnswer[]>

export interface RuleEngines {
  readonly javascript: Search
  readonly python: Search
  readonly re2: Search
  /** The id of the rule that denied each request; 0 = none. */
  coraza(directives: string, requests: readonly RawRequest[]): Promise<readonly number[]>
}

/** The engines of other languages; undefined, aloud, without Go and Python. */
export async function ruleEngines(): Promise<RuleEngines | undefined> {
  const python = Bun.which("python3")
  const program = await build()
  if (program === undefined || python === null) {
    if (process.env.CI === "true") throw new Error("Go and Python 3 are needed")
    process.stderr.write("skipped: the engines of other languages need Go and Python 3\n")
    return undefined
  }
  const search =
    (command: readonly string[]): Search =>
    (texts, patterns) =>
      answers(command, [{ texts }, ...patterns.map((pattern) => ({ pattern }))])
  return {
    javascript: async (texts, patterns) => patterns.map((pattern) => searchHere(texts, pattern)),
    python: search([python, join(FOLDER, "match.py")]),
    re2: search([program, "re2"]),
    async coraza(directives, requests) {
      const denied = await answers<{ rule: number }>(
        [program, "coraza"],
        [{ directives }, ...requests],
      )
      return denied.map(({ rule }) => rule)
    },
  }
}

function searchHere(texts: readonly string[], pattern: string): EngineAnswer {
  const regex = new RegExp(pattern, "u")
  const began = process.cpuUsage()
  const matched = texts.flatMap((text, index) => (regex.test(text) ? [index] : []))
  const { user, system } = process.cpuUsage(began)
  return { matched, cpu_us: user + system }
}

/** Built once for each version of its source; undefined where there is no Go. */
async function build(): Promise<string | undefined> {
  if (Bun.which("go") === null) return undefined
  const texts = await Promise.all(SOURCES.map((name) => Bun.file(join(FOLDER, name)).text()))
  const digest = new Bun.CryptoHasher("sha256").update(texts.join("\0")).digest("hex").slice(0, 16)
  const root = process.env.SENTINEL_SERVICES_CACHE ?? join(homedir(), ".cache/sentinel-services")
  const program = join(root, `rule-engines-${digest}`)
  if (await Bun.file(program).exists()) return program
  mkdirSync(root, { recursive: true })
  const part = `${program}.${process.pid}`
  const { exitCode } = Bun.spawnSync(["go", "build", "-trimpath", "-o", part, "."], { cwd: FOLDER })
  if (exitCode !== 0) throw new Error("go build failed")
  renameSync(part, program)
  return program
}

async function answers<Answer = EngineAnswer>(
  command: readonly string[],
  lines: readonly unknown[],
): Promise<readonly Answer[]> {
  const input = lines.map((line) => `${JSON.stringify(line)}\n`).join("")
  const child = Bun.spawn([...command], {
    stdin: new TextEncoder().encode(input),
    stdout: "pipe",
    stderr: "pipe",
  })
  const [output, complaints] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ])
  if ((await child.exited) !== 0) throw new Error(complaints.slice(-500))
  return output
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Answer)
}
