import { chmod, copyFile, mkdir, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { SandboxUnavailableError } from "../../errors.ts"
import { EXECUTE_ONLY } from "./image-entries.ts"
import type { ImageEntry } from "./image-entry.ts"

/** Lays the image out under `root`; programs that nobody may read stay readable until `seal`. */
export async function layOut(entries: readonly ImageEntry[], root: string): Promise<void> {
  await mkdir(root, { recursive: true })
  await chmod(root, 0o755)
  for (const entry of entries) {
    const target = join(root, entry.path)
    if (entry.kind === "directory") await mkdir(target)
    else if ("file" in entry.source) await copyFile(entry.source.file, target)
    else await writeFile(target, entry.source.content)
    await chmod(target, entry.mode === EXECUTE_ONLY ? 0o755 : entry.mode)
  }
}

/** Takes the right to read from the programs that may only be executed. */
export async function seal(entries: readonly ImageEntry[], root: string): Promise<void> {
  for (const { path } of entries.filter(isExecuteOnly)) await chmod(join(root, path), EXECUTE_ONLY)
}

/**
 * Writes the laid out image as a tar whose bytes depend on nothing but the entries: no times, no
 * owners, a fixed order.
 * @throws SandboxUnavailableError where GNU tar is missing or fails
 */
export async function pack(
  entries: readonly ImageEntry[],
  root: string,
  tarFile: string,
): Promise<void> {
  const open = entries.filter((entry) => !isExecuteOnly(entry))
  const sealed = entries.filter(isExecuteOnly)
  await tar(["--create"], { root, tarFile, entries: open })
  await tar(["--append", `--mode=${EXECUTE_ONLY.toString(8)}`], { root, tarFile, entries: sealed })
}

function isExecuteOnly({ mode }: ImageEntry): boolean {
  return mode === EXECUTE_ONLY
}

async function tar(
  options: readonly string[],
  { root, tarFile, entries }: { root: string; tarFile: string; entries: readonly ImageEntry[] },
): Promise<void> {
  const names = entries.map(({ path }) => `.${path}`)
  const fixed = ["--no-recursion", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"]
  try {
    const child = Bun.spawn(
      [
        ...["tar", ...options, "--file", tarFile, "--format=ustar", "--directory", root],
        ...fixed,
        "--",
        ...names,
      ],
      {
        stdin: "ignore",
        stdout: "ignore",
        stderr: "ignore",
        env: { LC_ALL: "C", PATH: "/usr/bin:/bin" },
      },
    )
    if ((await child.exited) === 0) return
  } catch (error) {
    throw new SandboxUnavailableError("GNU tar, which packs the image, could not be started", error)
  }
  throw new SandboxUnavailableError("GNU tar could not pack the image")
}
