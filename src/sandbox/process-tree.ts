import { kernelEntries, kernelText } from "./kernel-files.ts"

/** Kernel clock ticks of /proc, which are 100 a second on every Linux that Bun runs on. */
const TICK_MS = 10
const PROCESSES_MAX = 2_048

export interface TreeUsage {
  /** Processor time of all of them, the finished ones included. */
  readonly cpuMs: number
  /** Memory of the living ones that no other process shares. */
  readonly privateBytes: number
  /** The living ones, threads not counted. */
  readonly processes: number
}

/** What a process and its descendants use, at most 2,048 of them; undefined when it is gone. */
export function treeUsage(root: number): TreeUsage | undefined {
  const usage = { cpuMs: 0, privateBytes: 0, processes: 0 }
  const open = [root]
  for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
    const ticks = ticksOf(pid)
    if (ticks === undefined) continue
    usage.cpuMs += ticks * TICK_MS
    usage.privateBytes += privateBytesOf(pid)
    usage.processes++
    if (usage.processes >= PROCESSES_MAX) break
    open.push(...childrenOf(pid))
  }
  return usage.processes === 0 ? undefined : usage
}

/** utime, stime and both of the children waited for: fields 14 to 17 of /proc/PID/stat. */
function ticksOf(pid: number): number | undefined {
  const fields = kernelText(`/proc/${pid}/stat`).split(") ").at(-1)?.split(" ").slice(11, 15)
  return fields?.length === 4 ? fields.reduce((sum, field) => sum + Number(field), 0) : undefined
}

function privateBytesOf(pid: number): number {
  const kibibytes = /^RssAnon:\s{1,16}(\d{1,15}) kB$/m.exec(kernelText(`/proc/${pid}/status`))?.[1]
  return Number(kibibytes ?? 0) * 1_024
}

/** Of every thread: the kernel lists a child under the thread that made it. */
function childrenOf(pid: number): readonly number[] {
  return kernelEntries(`/proc/${pid}/task`).flatMap((thread) => {
    const text = kernelText(`/proc/${pid}/task/${thread}/children`)
    return text
      .split(" ")
      .filter((word) => word !== "")
      .map(Number)
  })
}
