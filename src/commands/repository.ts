import { readdir } from "node:fs/promises"
import { join, resolve } from "node:path"

/** The directory that holds `sentinel`, models/, test/ and bench/, wherever it was called from. */
export const REPOSITORY = resolve(import.meta.dir, "../..")

/** Names of the suites under bench/: every module there but the harness and its parts. */
export async function benchSuites(): Promise<readonly string[]> {
  const files = await readdir(join(REPOSITORY, "bench")).catch(() => [])
  return files
    .filter((file) => file.endsWith(".ts") && !file.startsWith("harness"))
    .map((file) => file.slice(0, -".ts".length))
    .sort()
}
