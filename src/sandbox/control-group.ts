import { join } from "node:path"
import { kernelText } from "./kernel-files.ts"

/** Counters of a control group since it was made; undefined where the kernel does not tell. */
export interface GroupCounters {
  readonly cpuMs: number | undefined
  readonly memoryPeakBytes: number | undefined
  readonly outOfMemoryKills: number | undefined
}

/** Reads the counters of one group; nothing is known of a group that is gone. */
export type GroupReader = () => GroupCounters

const ROOT = "/sys/fs/cgroup"

/**
 * The control group of a process on this machine, for reading its counters in microseconds instead
 * of asking Docker, which takes a second.
 *
 * @param name what the path of the group must hold, such as the id of its container
 * @returns undefined where the process is not of this machine: the engine is elsewhere
 * @see https://docs.kernel.org/admin-guide/cgroup-v2.html, and cgroup-v1/memory.html
 */
export function controlGroupOf(pid: number, name: string): GroupReader | undefined {
  const paths = new Map<string, string>()
  for (const line of kernelText(`/proc/${pid}/cgroup`).split("\n")) {
    const [, controllers = "", path = ""] = /^\d+:([^:]*):(.+)$/.exec(line) ?? []
    if (path.includes(name)) for (const one of controllers.split(",")) paths.set(one, path)
  }
  const unified = paths.get("")
  const [accounting, memory] = [paths.get("cpuacct"), paths.get("memory")]
  if (accounting !== undefined && memory !== undefined) {
    return readerV1(join(ROOT, "cpuacct", accounting), join(ROOT, "memory", memory))
  }
  return unified === undefined ? undefined : readerV2(join(ROOT, unified))
}

/** Of two hierarchies, as before cgroup v2. */
export function readerV1(accounting: string, memory: string): GroupReader {
  return () => {
    const nanoseconds = numberOf(kernelText(join(accounting, "cpuacct.usage")))
    return {
      cpuMs: nanoseconds === undefined ? undefined : nanoseconds / 1e6,
      memoryPeakBytes: numberOf(kernelText(join(memory, "memory.max_usage_in_bytes"))),
      outOfMemoryKills: fieldOf(kernelText(join(memory, "memory.oom_control")), "oom_kill"),
    }
  }
}

/** Of one unified group. */
export function readerV2(group: string): GroupReader {
  return () => {
    const microseconds = fieldOf(kernelText(join(group, "cpu.stat")), "usage_usec")
    return {
      cpuMs: microseconds === undefined ? undefined : microseconds / 1e3,
      memoryPeakBytes: numberOf(kernelText(join(group, "memory.peak"))),
      outOfMemoryKills: fieldOf(kernelText(join(group, "memory.events")), "oom_kill"),
    }
  }
}

function fieldOf(text: string, field: string): number | undefined {
  const line = text.split("\n").find((candidate) => candidate.startsWith(`${field} `))
  return numberOf(line?.slice(field.length + 1) ?? "")
}

function numberOf(text: string): number | undefined {
  return /^\d{1,20}$/.test(text) ? Number(text) : undefined
}
