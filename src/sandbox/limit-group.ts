import { existsSync, mkdirSync, rmdirSync, statSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { SandboxUnavailableError, systemErrorCode } from "../errors.ts"
import { type GroupReader, readerV1, readerV2 } from "./control-group.ts"
import { kernelEntries } from "./kernel-files.ts"
import type { TwinLimits } from "./limits.ts"

const ROOT = "/sys/fs/cgroup"
const PREFIX = "sentinel-"
const CPU_PERIOD_US = 100_000
const REMOVE_ROUNDS_MAX = 50
const REMOVE_PAUSE_MS = 20
const ABANDONED_MS = 60_000

/** A control group of Sentinel's own making, for processes that no engine limits. */
export interface LimitGroup {
  /** A process joins by writing its pid to `cgroup.procs` in each. */
  readonly directories: readonly string[]
  readonly counters: GroupReader
  /** Waits a second at most for its processes to be gone. */
  remove(): Promise<void>
}

/**
 * Makes a group with the limits of memory, processes and processor time.
 * @param name unique on this machine
 * @returns undefined where this process may not: it takes root, and a writable /sys/fs/cgroup
 * @throws SandboxUnavailableError where a group of that name is there already
 */
export function makeLimitGroup(name: string, limits: TwinLimits): LimitGroup | undefined {
  const isUnified = existsSync(join(ROOT, "cgroup.controllers"))
  const made: string[] = []
  const make = (parent: string, settings: Readonly<Record<string, number | string>>) => {
    const directory = join(parent, `${PREFIX}${name}`)
    mkdirSync(directory)
    made.push(directory)
    for (const [file, value] of Object.entries(settings)) {
      writeFileSync(join(directory, file), String(value))
    }
    return directory
  }
  const remove = () => removeWhenEmpty(made)
  try {
    const counters = isUnified ? makeUnified(make, limits) : makeSeparate(make, limits)
    return { directories: made, counters, remove }
  } catch (error) {
    void remove()
    if (systemErrorCode(error) === "EEXIST") {
      throw new SandboxUnavailableError("a control group was left from before", error)
    }
    return undefined
  }
}

type Make = (parent: string, settings: Readonly<Record<string, number | string>>) => string

function makeUnified(make: Make, { memoryBytes, pids, cpus }: TwinLimits): GroupReader {
  writeFileSync(join(ROOT, "cgroup.subtree_control"), "+memory +pids +cpu")
  const quota = `${cpus * CPU_PERIOD_US} ${CPU_PERIOD_US}`
  const limits = { "memory.max": memoryBytes, "memory.swap.max": 0, "pids.max": pids }
  return readerV2(make(ROOT, { ...limits, "cpu.max": quota }))
}

function makeSeparate(make: Make, { memoryBytes, pids, cpus }: TwinLimits): GroupReader {
  make(join(ROOT, "pids"), { "pids.max": pids })
  const cpu = make(join(ROOT, "cpu"), { "cpu.cfs_quota_us": cpus * CPU_PERIOD_US })
  const memory = make(join(ROOT, "memory"), { "memory.limit_in_bytes": memoryBytes })
  // often one hierarchy under both names, in which the group is made already
  const accounting = existsSync(join(cpu, "cpuacct.usage")) ? cpu : make(join(ROOT, "cpuacct"), {})
  return readerV1(accounting, memory)
}

/**
 * Removes the groups that no process is in any more: those whose name begins so, and those that
 * others left a while ago. The kernel keeps one that is in use.
 */
export function removeGroups(namePrefix: string): void {
  for (const parent of ["", "pids", "cpu", "cpuacct", "memory"]) {
    for (const entry of kernelEntries(join(ROOT, parent))) {
      const directory = join(ROOT, parent, entry)
      const isOwn = entry.startsWith(`${PREFIX}${namePrefix}`)
      if (isOwn || (entry.startsWith(PREFIX) && isOld(directory))) removeGroup(directory)
    }
  }
}

/** One that was made just now may be about to get its first process. */
function isOld(directory: string): boolean {
  const made = statSync(directory, { throwIfNoEntry: false })?.mtimeMs
  return made !== undefined && Date.now() - made > ABANDONED_MS
}

/** A killed process stays in its group for a moment. What is left then is for the reaper. */
async function removeWhenEmpty(directories: readonly string[]): Promise<void> {
  for (let round = 0; round < REMOVE_ROUNDS_MAX; round++) {
    directories.forEach(removeGroup)
    if (!directories.some((directory) => existsSync(directory))) return
    await Bun.sleep(REMOVE_PAUSE_MS)
  }
}

function removeGroup(directory: string): void {
  try {
    rmdirSync(directory)
  } catch {
    // it still holds a process, or is gone
  }
}
