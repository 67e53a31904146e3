import { describe, expect, test } from "bun:test"
import { existsSync } from "node:fs"
import { dirname, join, relative, resolve } from "node:path"
import { IMAGE_SOURCES } from "../src/compose/sandbox.ts"
import { VARIABLES } from "../src/config/variables.ts"

/** Style that matters is a test: docs/ARCHITECTURE.md says why each of these rules is there. */

const ROOT = resolve(import.meta.dir, "..")
const LINES_MAX = 400

/** Layer -> the layers below it that it may import; its own is always allowed. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  words: [],
  stream: ["words"],
  evidence: ["words"],
  ml: ["words", "evidence"],
  rules: ["words", "ml"],
  alerts: ["words", "ml"],
  operators: ["words", "stream", "evidence", "ml", "rules"],
  connectors: ["words", "stream/types"],
  services: ["words", "stream/types"],
  store: ["words", "stream/types"],
  api: ["words", "stream/types"],
  twins: ["words"],
  sandbox: ["words", "stream/types"],
  pipeline: ["words", "stream", "operators"],
  simulation: ["words", "stream", "operators"],
  compose: [
    ...["words", "stream", "evidence", "ml", "rules", "alerts", "operators"],
    ...["pipeline", "simulation", "connectors", "services", "store", "api", "sandbox", "twins"],
  ],
  commands: [
    ...["words", "stream", "evidence", "ml", "rules", "alerts", "operators"],
    ...["pipeline", "simulation", "compose"],
    ...["connectors", "services", "store", "api", "sandbox", "bench"],
  ],
  main: ["words", "commands"],
}

/** The service and the program inside the sandbox: each reads the environment that it is given. */
const ENTRY_POINTS = ["src/main.ts", "src/twins/main.ts"]

const WORDS = [
  ...["errors", "events", "ports", "twin-protocol", "simulation-result", "model-traffic"],
  ...["rule", "alert", "config", "telemetry", "clock", "log", "json-line"],
]

/** Libraries that are the language of one folder, not a service called from one module. */
const FOLDER_LIBRARIES: Readonly<Record<string, string>> = {
  commander: "src/commands/",
  pbf: "src/ml/onnx/",
  "@sinclair/typebox": "src/api/",
}

interface Module {
  /** Relative to the repository, e.g. `src/ml/onnx/session.ts`. */
  readonly path: string
  readonly text: string
  readonly imports: readonly string[]
}

async function readModules(pattern: string): Promise<readonly Module[]> {
  const modules: Module[] = []
  for await (const path of new Bun.Glob(pattern).scan(ROOT)) {
    const text = await Bun.file(join(ROOT, path)).text()
    modules.push({ path, text, imports: importsOf(text) })
  }
  return modules.sort((one, other) => (one.path < other.path ? -1 : 1))
}

/** Specifiers of static and dynamic imports, type imports included. */
function importsOf(text: string): readonly string[] {
  const specifiers: string[] = []
  const statement =
    /^(?:import\s+(?:[^"'`;=]*?\sfrom\s+)?|export\s+[^"'`;=]*?\sfrom\s+)["']([^"'\n]+)["']/gm
  const expression = /\bimport\(\s*["']([^"'\n]+)["']\s*\)|\bnew URL\(\s*["'](\.[^"'\n]+\.ts)["']/g
  for (const match of [...text.matchAll(statement), ...text.matchAll(expression)]) {
    const specifier = match[1] ?? match[2]
    if (specifier !== undefined) specifiers.push(specifier)
  }
  return specifiers
}

function resolveImport(module: Module, specifier: string): string {
  return relative(ROOT, resolve(ROOT, dirname(module.path), specifier))
}

function layerOf(path: string): string {
  const [top, second = ""] = path.split("/")
  if (top !== "src") return top ?? ""
  const name = second.replace(/\.ts$/, "")
  return WORDS.includes(name) ? "words" : name
}

function packageOf(specifier: string): string | undefined {
  if (/^(\.|node:|bun$|bun:)/.test(specifier)) return undefined
  const parts = specifier.split("/")
  return specifier.startsWith("@") ? `${parts[0]}/${parts[1]}` : parts[0]
}

const modules = await readModules("src/**/*.ts")
const trackedFiles = Bun.spawnSync(["git", "-C", ROOT, "ls-files", "-z"])
  .stdout.toString()
  .split("\0")
  .filter((path) => path !== "" && existsSync(join(ROOT, path)))
const documents = trackedFiles.filter((path) => path.endsWith(".md"))

function isAllowed(from: string, to: string, path: string): boolean {
  const allowed = MAY_IMPORT[from] ?? []
  if (from === to || allowed.includes(to)) return true
  return to === "stream" && allowed.includes("stream/types") && path === "src/stream/types.ts"
}

describe("tidy: src", () => {
  test("importsOf sees static, type, side-effect and dynamic imports, and no prose", () => {
    const text = [
      'import { a } from "./a.ts"',
      "import type {\n  B,\n} from './b.ts'",
      'import "./c.ts"',
      'export { d } from "./d.ts"',
      'const e = await import("./e.ts")',
      '// we import nothing "here"',
      'export const f = "./f.ts"',
      'export interface G {\n  kind: "./g.ts"\n}',
    ].join("\n")
    const found = ["./a.ts", "./b.ts", "./c.ts", "./d.ts", "./e.ts"]
    expect(importsOf(text)).toEqual(found)
  })

  test("every folder of src has a place among the layers", () => {
    const unknown = modules.filter((module) => MAY_IMPORT[layerOf(module.path)] === undefined)
    expect(unknown.map((module) => module.path)).toEqual([])
  })

  test("imports point down", () => {
    const upward: string[] = []
    for (const module of modules) {
      for (const specifier of module.imports.filter((name) => name.startsWith("."))) {
        const target = resolveImport(module, specifier)
        if (target.endsWith(".json")) continue
        if (!isAllowed(layerOf(module.path), layerOf(target), target)) {
          upward.push(`${module.path} imports ${target}`)
        }
      }
    }
    expect(upward).toEqual([])
  })

  test("twins import nothing that their image is not made from", () => {
    const imports = modules
      .filter((module) => layerOf(module.path) === "twins")
      .flatMap((module) =>
        module.imports
          .filter((name) => name.startsWith("."))
          .map((name) => resolveImport(module, name)),
      )
    const others = imports.filter(
      (path) => !IMAGE_SOURCES.some((source) => path.startsWith(source)),
    )
    expect(others).toEqual([])
  })

  test("each outside library is imported in one place", () => {
    const importers = new Map<string, Set<string>>()
    for (const module of modules) {
      for (const name of module.imports.map(packageOf)) {
        if (name === undefined) continue
        const folder = FOLDER_LIBRARIES[name]
        const place = folder !== undefined && module.path.startsWith(folder) ? folder : module.path
        importers.set(name, (importers.get(name) ?? new Set()).add(place))
      }
    }
    const spread = [...importers].filter(([, places]) => places.size > 1)
    expect(spread.map(([name, places]) => `${name}: ${[...places].join(", ")}`)).toEqual([])
  })

  test("every dependency of package.json is imported", async () => {
    const { dependencies } = await Bun.file(join(ROOT, "package.json")).json()
    const imported = new Set(modules.flatMap((module) => module.imports.map(packageOf)))
    expect(Object.keys(dependencies).filter((name) => !imported.has(name))).toEqual([])
  })

  test("every module is reached from an entry point or a bench suite", async () => {
    const byPath = new Map(modules.map((module) => [module.path, module]))
    const reached = new Set<string>()
    const suites = await readModules("bench/*.ts")
    const entries = ENTRY_POINTS.map((path) => byPath.get(path)).filter(
      (entry) => entry !== undefined,
    )
    const open = [...entries, ...suites]
    for (let module = open.pop(); module !== undefined; module = open.pop()) {
      if (reached.has(module.path)) continue
      reached.add(module.path)
      for (const specifier of module.imports.filter((name) => name.startsWith("."))) {
        const next = byPath.get(resolveImport(module, specifier))
        if (next !== undefined) open.push(next)
      }
    }
    expect(modules.map((module) => module.path).filter((path) => !reached.has(path))).toEqual([])
  })

  test("only the entry points read the environment", () => {
    const readers = modules.filter((module) => /\b(process|Bun)\.env\b/.test(module.text))
    expect(readers.map((module) => module.path)).toEqual(ENTRY_POINTS)
  })

  test("there is no utils", () => {
    expect(modules.filter((module) => /util|helper/i.test(module.path))).toEqual([])
  })
})

describe("tidy: the whole repository", () => {
  test(`no source file is longer than ${LINES_MAX} lines`, async () => {
    const sources = [
      ...modules,
      ...(await readModules("test/**/*.ts")),
      ...(await readModules("bench/**/*.ts")),
    ]
    const long = sources.filter((module) => module.text.split("\n").length > LINES_MAX + 1)
    expect(long.map((module) => module.path)).toEqual([])
  })

  test("no tracked file names a machine's own paths", async () => {
    // Written in pieces, so that this file passes its own test.
    const forbidden = [
      ["", "work", "(main|shared)"],
      ["\\.\\.", "shared"],
      ["", "tmp", "s", ""],
    ]
      .map((parts) => parts.join("/"))
      .join("|")
    const pattern = new RegExp(`(^|[^A-Za-z0-9_$}.])(${forbidden})`, "m")
    const guilty: string[] = []
    for (const path of trackedFiles.filter((name) => !/\.(onnx|png|gz|bin)$/.test(name))) {
      if (pattern.test(await Bun.file(join(ROOT, path)).text())) guilty.push(path)
    }
    expect(guilty).toEqual([])
  })

  test("README's table of variables is VARIABLES of config.ts", async () => {
    const readme = await Bun.file(join(ROOT, "README.md")).text()
    const rows = [...readme.matchAll(/^\| `([A-Z][A-Z0-9_]+)` *\| (.*?) *\| (.*?) *\|$/gm)]
    const documented = rows.map(([, name, value, meaning]) => ({ name, value, meaning }))
    const actual = VARIABLES.map(({ name, default: value, meaning }) => {
      return { name, value: value === "" ? "" : `\`${value}\``, meaning }
    })
    expect(documented as unknown).toEqual(actual)
  })

  test("every relative link of a document resolves", async () => {
    const broken: string[] = []
    for (const path of documents) {
      const text = await Bun.file(join(ROOT, path)).text()
      for (const [, target = ""] of text.matchAll(/\]\(([^)\s#]+)(?:#[^)\s]*)?\)/g)) {
        if (/^[a-z]+:/.test(target)) continue
        if (!existsSync(join(ROOT, dirname(path), target))) broken.push(`${path}: ${target}`)
      }
    }
    expect(broken).toEqual([])
  })
})
