import { rmSync } from "node:fs"
import { basename, join } from "node:path"
import { listFiles } from "./shell-batch.ts"
import type { ObservedProgram } from "./shell-effects.ts"
import { fillTemplate } from "./shell-templates.ts"

/** Where any program may write, whatever its working directory. */
const SHARED_FOLDERS = ["/tmp", "/var/tmp", "/dev/shm"]

/** Paths of the files there. */
export function sharedFiles(): ReadonlySet<string> {
  return new Set(
    SHARED_FOLDERS.flatMap((folder) => listFiles(folder).map((name) => join(folder, name))),
  )
}

/**
 * Removes the files that were made since, and says which program each is of: the first one whose
 * text, trace or records name it. One that nobody names is not of a payload.
 */
export function takeSharedFiles(
  before: ReadonlySet<string>,
  observed: readonly ObservedProgram[],
): ReadonlyMap<ObservedProgram, readonly string[]> {
  const made = [...sharedFiles()].filter((path) => !before.has(path))
  const owners = new Map<ObservedProgram, readonly string[]>()
  for (const path of made) {
    const owner = observed.find((program) => textOf(program).includes(basename(path)))
    if (owner === undefined) continue
    rmSync(path, { force: true })
    owners.set(owner, [...(owners.get(owner) ?? []), path])
  }
  return owners
}

function textOf({ template, payload, trail }: ObservedProgram): string {
  return `${fillTemplate(template, payload)}\n${trail.errors}\n${trail.records}`
}
