import { readdirSync, readFileSync } from "node:fs"

/**
 * Processes whose command line holds `mark` as one whole argument.
 * @returns pids; none where there is no /proc
 */
export function markedProcesses(mark: string): readonly number[] {
  return processIds().filter((pid) => pid !== process.pid && argumentsOf(pid).includes(mark))
}

/** Kills every marked process, and waits until they are gone or `timeoutMs` is over. */
export async function killMarked(mark: string, timeoutMs: number): Promise<readonly number[]> {
  const deadlineMs = performance.now() + timeoutMs
  let left = markedProcesses(mark)
  while (left.length > 0) {
    for (const pid of left) killProcess(pid)
    if (performance.now() > deadlineMs) break
    await Bun.sleep(10)
    left = markedProcesses(mark)
  }
  return left
}

function killProcess(pid: number): void {
  try {
    process.kill(pid, "SIGKILL")
  } catch {
    // gone already, or not ours to kill: the next look tells
  }
}

function processIds(): readonly number[] {
  try {
    return readdirSync("/proc")
      .filter((name) => /^\d+$/.test(name))
      .map(Number)
  } catch {
    return []
  }
}

function argumentsOf(pid: number): readonly string[] {
  return readText(`/proc/${pid}/cmdline`).split("\0")
}

/** Kernel clock ticks of /proc, which are 100 a second on every Linux that Bun runs on. */
const TICK_MS = 10
const TREE_PROCESSES_MAX = 1_024

/** Processor time of a process and all its descendants, the finished ones included. */
export function treeCpuMs(root: number): number | undefined {
  let ticks: number | undefined
  const open = [root]
  for (let seen = 0; seen < TREE_PROCESSES_MAX; seen++) {
    const pid = open.pop()
    if (pid === undefined) break
    const own = ticksOf(pid)
    if (own !== undefined) ticks = (ticks ?? 0) + own
    open.push(...childrenOf(pid))
  }
  return ticks === undefined ? undefined : ticks * TICK_MS
}

/** utime, stime and both of the children waited for: fields 14 to 17 of /proc/PID/stat. */
function ticksOf(pid: number): number | undefined {
  const fields = readText(`/proc/${pid}/stat`).split(") ").at(-1)?.split(" ").slice(11, 15)
  return fields?.length === 4 ? fields.reduce((sum, field) => sum + Number(field), 0) : undefined
}

function childrenOf(pid: number): readonly number[] {
  const text = readText(`/proc/${pid}/task/${pid}/children`)
  return text
    .split(" ")
    .filter((word) => word !== "")
    .map(Number)
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8").trim()
  } catch {
    return ""
  }
}
