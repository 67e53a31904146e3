import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  writeSync,
} from "node:fs"
import { dirname } from "node:path"
import { ModelRefusedError, systemErrorCode, UnavailableError } from "../errors.ts"
import type { ModelRegistryStore, RegistryState } from "../model-traffic.ts"

/** Raise on every change that an older reader would misread. */
const FORMAT = 1

/**
 * The state of the model registry as one JSON file, which a person can read. It is written beside,
 * synced and renamed into place: kill -9 or a power cut at any point leaves the old state or the new.
 */
export function modelRegistryFile(path: string): ModelRegistryStore {
  return {
    read() {
      const text = readIfThere(path)
      return text === undefined ? undefined : parseState(text)
    },
    write(state) {
      try {
        replaceFile(path, `${JSON.stringify({ format: FORMAT, ...state }, null, 2)}\n`)
      } catch (error) {
        throw new UnavailableError("the model registry", error)
      }
    },
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8")
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined
    throw new ModelRefusedError("registry.json cannot be read", error)
  }
}

function replaceFile(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const draft = `${path}.tmp`
  const file = openSync(draft, "w", 0o600)
  try {
    writeSync(file, text)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
  renameSync(draft, path)
  // the rename itself is on disk only once its directory is
  const directory = openSync(dirname(path), "r")
  try {
    fsyncSync(directory)
  } finally {
    closeSync(directory)
  }
}

/** Checks what the rest of the code relies on: a person may have edited the file. */
function parseState(text: string): RegistryState {
  const { format, plan, models } = parseObject(text)
  const isPlan =
    isObject(plan) &&
    typeof plan.live === "string" &&
    Number.isInteger(plan.revision) &&
    ["undefined", "string"].includes(typeof plan.secondTier) &&
    ["undefined", "number"].includes(typeof plan.secondTierPercent)
  if (format !== FORMAT || !isPlan || !isObject(models) || !isTrial(plan.trial)) {
    throw new ModelRefusedError("registry.json is of another format")
  }
  for (const record of Object.values(models)) {
    if (
      !isObject(record) ||
      typeof record.state !== "string" ||
      !Array.isArray(record.transitions)
    ) {
      throw new ModelRefusedError("registry.json holds a model without a state")
    }
  }
  return { plan, models } as unknown as RegistryState
}

function isTrial(trial: unknown): boolean {
  if (trial === undefined) return true
  return (
    isObject(trial) &&
    typeof trial.modelId === "string" &&
    typeof trial.referenceId === "string" &&
    typeof trial.percent === "number" &&
    typeof trial.sinceMs === "number" &&
    ["shadow", "canary", "probation"].includes(String(trial.mode))
  )
}

function parseObject(text: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text)
    if (isObject(value)) return value
  } catch (error) {
    throw new ModelRefusedError("registry.json is not JSON", error)
  }
  throw new ModelRefusedError("registry.json is not an object")
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
}
