import { kernelEntries, kernelText } from "./kernel-files.ts"

/**
 * Processes whose command line holds `mark` as one whole argument.
 * @returns pids; none where there is no /proc
 */
export function markedProcesses(mark: string): readonly number[] {
  return kernelEntries("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && argumentsOf(pid).includes(mark))
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
    // gone already, or not ours to kill: the next search tells
  }
}

function argumentsOf(pid: number): readonly string[] {
  return kernelText(`/proc/${pid}/cmdline`).split("\0")
}
