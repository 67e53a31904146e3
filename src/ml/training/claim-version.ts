import { mkdir, readdir } from "node:fs/promises"
import { join } from "node:path"
import { systemErrorCode } from "../../errors.ts"
import type { ModelDirectories } from "../serving/model-catalog.ts"

const CLAIMS_MAX = 100

/**
 * Claims the version of a model that nobody has: the directory itself is the claim, for making one that
 * exists fails.
 *
 * @param name e.g. `payload-linear`
 */
export async function claimVersion(
  name: string,
  directories: ModelDirectories & { readonly registered: string },
): Promise<string> {
  const models = join(directories.registered, name)
  await mkdir(models, { recursive: true, mode: 0o700 })
  for (let tries = 0; ; tries++) {
    const version = await nextVersion(name, directories.shipped, directories.registered)
    try {
      await mkdir(join(models, version), { mode: 0o700 })
      return version
    } catch (error) {
      const isTaken = systemErrorCode(error) === "EEXIST"
      if (!isTaken || tries >= CLAIMS_MAX) throw error
    }
  }
}

/** The version after the highest one of `name` in these folders; 1.0.0 where there is none. */
export async function nextVersion(
  name: string,
  ...modelsDirectories: readonly string[]
): Promise<string> {
  const names = await Promise.all(
    modelsDirectories.map((models) => readdir(join(models, name)).catch(() => [])),
  )
  const [highest] = names
    .flat()
    .filter((version) => /^\d{1,6}\.\d{1,6}\.\d{1,6}$/.test(version))
    .map((version) => version.split(".").map(Number))
    .sort((left, right) => compareVersions(right, left))
  if (highest === undefined) return "1.0.0"
  const [major = 1, minor = 0, patch = 0] = highest
  return `${major}.${minor}.${patch + 1}`
}

function compareVersions(left: readonly number[], right: readonly number[]): number {
  const differing = left.findIndex((part, index) => part !== right[index])
  return differing < 0 ? 0 : (left[differing] ?? 0) - (right[differing] ?? 0)
}
