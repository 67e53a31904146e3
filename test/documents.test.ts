import { expect, test } from "bun:test"
import { tmpdir } from "node:os"
import { resolve } from "node:path"
import packages from "../package.json"
import { runCommandLine } from "../src/commands/program.ts"
import { VARIABLES } from "../src/config/variables.ts"
import { start } from "./support/api-client.ts"
import { recordTerminal } from "./support/terminal.ts"

/** What a document names is there, and what people operate by is named in a document. */

const ROOT = resolve(import.meta.dir, "..")
const pages = `${await readAll("*.md")}${await readAll("{docs,examples}/*.md")}`
const source = await readAll("src/**/*.ts")

async function readAll(pattern: string): Promise<string> {
  const paths = await Array.fromAsync(new Bun.Glob(pattern).scan(ROOT))
  return (await Promise.all(paths.map((path) => Bun.file(`${ROOT}/${path}`).text()))).join("\n")
}

/** Every text that the first group of a global pattern finds, once, in order. */
function found(text: string, pattern: RegExp): readonly string[] {
  return [...new Set([...text.matchAll(pattern)].map((match) => match[1] ?? ""))].sort()
}

/** Those of the first that the second has not: a failing test names them. */
function missing(names: readonly string[], others: readonly string[]): readonly string[] {
  expect(names.length).toBeGreaterThan(0)
  return names.filter((name) => !others.includes(name))
}

test("the documents name only metrics that Sentinel exposes, and all of them", () => {
  const exposed = found(source, /"(cerberus_\w+)"/g)
  const named = found(pages, /\b(cerberus_\w+?)(?:_bucket|_count|_sum)?\b/g)
  expect(missing(named, exposed)).toEqual([])
  expect(missing(exposed, named)).toEqual([])
})

test("the documents name only variables that VARIABLES has", () => {
  const named = found(pages, /\b((?:SENTINEL|KAFKA|MINIO|GATEKEEPER)_[A-Z][A-Z0-9_]*)\b/g)
  const known = VARIABLES.map(({ name }) => name as string)
  expect(missing(named, known)).toEqual([])
})

test("the documents name only endpoints that the OpenAPI document of createApi has", async () => {
  const { paths } = (await start().send("/openapi.json")).json as { paths: object }
  const served = [...Object.keys(paths), "/openapi.json"].map((path) =>
    path.replace(/{.*?}/g, "{}"),
  )
  const named = [
    ...found(pages, /\b(?:GET|POST) ((?:\/|[a-z])[^\s`?,:]*)[\s`?,]/g),
    ...found(pages, /(?:localhost|127\.0\.0\.1):8003(\/[^\s'"`?]+)/g),
  ]
  expect(missing(named.flatMap(spellings), served)).toEqual([])
})

/** `models/ID` is `/api/v1/sentinel/models/{}`; `a[/b]` is `a` and `a/b`. */
function spellings(named: string): readonly string[] {
  const path = named.startsWith("/") ? named : `/api/v1/sentinel/${named}`
  const whole = path.replace(/{.*?}|(?<=\/)(?:ID|M|V)\b/g, "{}")
  return [whole.replace(/\[|\]/g, ""), whole.replace(/\[.*?\]/g, "")]
}

test("the documents show only command lines that runCommandLine understands", async () => {
  const lines = found(
    pages,
    /\.\/sentinel(?! COMMAND)((?: (?:-(?= |$)|[\w./-]*[\w/]|"[^"\n]*"))+)/g,
  )
  const wrong: string[] = []
  for (const line of lines) {
    const words = line.trim().split(" ")
    const operands = words.slice(0, words.findIndex((word) => word.startsWith("--")) >>> 0)
    const help = await helpOf(operands)
    const options = found(line, /(--[a-z][a-z-]*)/g)
    const [, usage = ""] = /^Usage: sentinel (.*)$/m.exec(help) ?? []
    const isGroup = usage.endsWith("[command]") && operands.length > 1
    const isUnderstood = usage.startsWith(operands[0] ?? "") && !isGroup
    const offered = found(help, /(--[a-z][a-z-]*)/g)
    if (!isUnderstood || options.some((option) => !offered.includes(option))) wrong.push(line)
  }
  expect(lines.length).toBeGreaterThan(40)
  expect(wrong).toEqual([])
})

test("docs/DEPENDENCIES.md says of every package of package.json why it is there", async () => {
  const explained = await Bun.file(`${ROOT}/docs/DEPENDENCIES.md`).text()
  const names = Object.keys({ ...packages.dependencies, ...packages.devDependencies })
  const words = found(explained, /(?:`|\| )(@?[a-z][\w./-]*)(?:`| )/g)
  expect(missing(names, words)).toEqual([])
})

test("README's table of commands has every command of runCommandLine", async () => {
  const listed = found(await helpOf([]), /^ {2}([a-z-]+) /gm).filter((name) => name !== "help")
  const rows = found(await Bun.file(`${ROOT}/README.md`).text(), /^\| (`[a-z].*?) \|/gm).join(" ")
  expect(missing(listed, found(rows, /`([a-z-]+)/g))).toEqual([])
})

test("README shows what analyze prints of the examples, but for [...]", async () => {
  const readme = await Bun.file(`${ROOT}/README.md`).text()
  const shown = /^\$ \.\/sentinel (analyze .*) \| jq -r \.explanation\.narrative\n([^`]*)```$/m
  const [, command = "", narratives = ""] = shown.exec(readme) ?? []
  const terminal = recordTerminal({ SENTINEL_DATA_DIR: `${tmpdir()}/no-such-directory` })
  const [analyze = "", ...files] = command.split(" ")
  await runCommandLine([analyze, ...files.map((path) => `${ROOT}/${path}`)], terminal)
  const documents = terminal.written().trim().split("\n")
  const printed = documents.map((line) => JSON.parse(line).explanation.narrative).join(" ")
  const literals = narratives.trim().replace(/\s+/g, " ").split("[...]").map(escapeRegExp)
  expect(printed).toMatch(new RegExp(`^${literals.join(".*")}$`))
}, 60_000)

function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&")
}

async function helpOf(words: readonly string[]): Promise<string> {
  const terminal = recordTerminal()
  await runCommandLine([...words, "--help"], terminal)
  return terminal.written()
}
