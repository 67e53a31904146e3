import { mkdir } from "node:fs/promises"
import { arch, cpus, platform, totalmem } from "node:os"
import { join } from "node:path"
import type { Row } from "./harness.ts"

export interface SuiteResult {
  readonly suite: string
  /** The commit measured, with `+changes` where the working tree differs from it. */
  readonly commit: string
  readonly rows: readonly Row[]
}

/**
 * Keeps a result under bench/results with the machine and the date.
 * @returns the path of the file, relative to the repository
 */
export async function keepResult(
  result: SuiteResult,
  options: { repository: string; date: Date; quick: boolean },
): Promise<string> {
  const day = options.date.toISOString().slice(0, 10)
  const name = `${result.suite}-${day}-${result.commit.slice(0, 12)}.json`
  const kept = {
    ...result,
    quick: options.quick,
    date: options.date.toISOString(),
    machine: describeMachine(),
  }
  await mkdir(join(options.repository, "bench/results"), { recursive: true })
  await Bun.write(
    join(options.repository, "bench/results", name),
    `${JSON.stringify(kept, null, 2)}\n`,
  )
  return `bench/results/${name}`
}

/** The hardware and the runtime; nothing that names the host or its user. */
function describeMachine(): Record<string, string | number> {
  return {
    platform: platform(),
    arch: arch(),
    cpu: cpus()[0]?.model ?? "unknown",
    cores: cpus().length,
    memory_gib: Math.round(totalmem() / 2 ** 30),
    bun: Bun.version,
  }
}

/** The commit that is checked out, or `unknown` outside a git checkout. */
export async function currentCommit(repository: string): Promise<string> {
  const git = async (...args: string[]) => {
    const child = Bun.spawn(["git", "-C", repository, ...args], {
      stdio: ["ignore", "pipe", "ignore"],
    })
    return (await new Response(child.stdout).text()).trim()
  }
  try {
    const commit = await git("rev-parse", "HEAD")
    if (commit === "") return "unknown"
    const changes = await git("status", "--porcelain", "--untracked-files=no")
    return changes === "" ? commit : `${commit}+changes`
  } catch {
    return "unknown" // git itself is not installed
  }
}
