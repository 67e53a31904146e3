import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { openDockerEngine } from "../../src/sandbox/docker-engine.ts"
import { instanceOf, processMark } from "../../src/sandbox/instance.ts"
import { markedProcesses } from "../../src/sandbox/marked-processes.ts"

export interface LeftBehind {
  readonly containers: number
  readonly processes: number
  /** More than before. */
  readonly mounts: number
  readonly groups: number
}

/** The sandbox that is looked for, and how many mounts this machine had before it was opened. */
export interface Own {
  readonly stateDirectory: string
  readonly dockerHost: string | undefined
  readonly mountsBefore: number
}

/** What there is of a sandbox, as the engine and the kernel tell. */
export async function leftBehind(own: Own): Promise<LeftBehind> {
  const instance = instanceOf(own.stateDirectory)
  const mark = processMark(instance)
  const containers = await openDockerEngine(own.dockerHost).list(mark)
  return {
    containers: containers.length,
    processes: markedProcesses(mark).length,
    mounts: Math.max(0, countMounts() - own.mountsBefore),
    groups: groupsOf(instance),
  }
}

export function countMounts(): number {
  return readFileSync("/proc/mounts", "utf8").split("\n").length
}

function groupsOf(instance: string): number {
  const roots = ["", "pids", "memory", "cpu", "cpuacct"].map((name) => join("/sys/fs/cgroup", name))
  return roots.flatMap(entriesOf).filter((name) => name.includes(instance)).length
}

function entriesOf(directory: string): readonly string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}
