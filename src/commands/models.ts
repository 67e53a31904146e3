import { readdir } from "node:fs/promises"
import { join } from "node:path"
import { ModelRefusedError } from "../errors.ts"
import { REPOSITORY } from "./repository.ts"
import { renderTable } from "./table.ts"
import type { Terminal } from "./terminal.ts"

interface ModelFiles {
  /** `<name>/<version>`, as the directories are called. */
  readonly model: string
  readonly bytes: number
  /** What training wrote to metrics.json. */
  readonly metrics: unknown
}

const FIGURES_SHOWN_MAX = 100

/** Lists the models of the repository with the metrics that their training measured. */
export async function models(options: { json?: boolean }, terminal: Terminal): Promise<number> {
  const found = await listModels(join(REPOSITORY, "models"))
  if (options.json === true) {
    await terminal.write(`${JSON.stringify({ models: found })}\n`)
    return 0
  }
  for (const { model, bytes, metrics } of found) {
    const rows = mainFigures(metrics).slice(0, FIGURES_SHOWN_MAX)
    await terminal.write(`${model}  (${(bytes / 1024).toFixed(0)} KiB)\n${renderTable(rows)}\n`)
  }
  if (found.length === 0) terminal.note("no models here: ./sentinel train makes them\n")
  return found.length === 0 ? 1 : 0
}

async function listModels(directory: string): Promise<readonly ModelFiles[]> {
  const found: ModelFiles[] = []
  for (const name of await subdirectories(directory)) {
    for (const version of await subdirectories(join(directory, name))) {
      found.push(await readModel(directory, `${name}/${version}`))
    }
  }
  return found
}

async function subdirectories(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => [])
  const names = entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
  return names.filter((name) => !name.startsWith(".")).sort()
}

async function readModel(directory: string, model: string): Promise<ModelFiles> {
  try {
    const metrics: unknown = await Bun.file(join(directory, model, "metrics.json")).json()
    return { model, bytes: Bun.file(join(directory, model, "model.onnx")).size, metrics }
  } catch (cause) {
    throw new ModelRefusedError(`models/${model} has no readable metrics.json`, cause)
  }
}

/** The file's own values and those under `metrics`; whole reports are for --json and the card. */
function mainFigures(document: unknown): readonly (readonly [string, string])[] {
  if (typeof document !== "object" || document === null) return []
  return Object.entries(document).flatMap(([name, value]) => {
    if (typeof value !== "object") return [[`  ${name}`, shown(value)] as const]
    return name === "metrics" ? mainFigures(value) : []
  })
}

function shown(value: unknown): string {
  return typeof value === "number" && !Number.isInteger(value) ? value.toFixed(4) : String(value)
}
