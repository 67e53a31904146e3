import { readdirSync, readFileSync } from "node:fs"

/** What the kernel tells under /proc and /sys: it may be gone at any moment, with its process. */

/** The text of a file without white space around it; empty where it cannot be read. */
export function kernelText(path: string): string {
  try {
    return readFileSync(path, "utf8").trim()
  } catch {
    return ""
  }
}

/** The names in a directory; none where it cannot be read. */
export function kernelEntries(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}
