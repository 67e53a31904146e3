import { randomUUID } from "node:crypto"
import { mkdirSync, readFileSync, readlinkSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import { kernelText } from "./kernel-files.ts"

/** Labels of every container that Sentinel starts. */
export const LABELS = {
  instance: "sentinel.sandbox",
  owner: "sentinel.owner",
  class: "sentinel.class",
} as const

/** Marks each process in a sandbox on its command line, so that it is found without its driver. */
export function processMark(instance: string): string {
  return `${LABELS.instance}=${instance}`
}

const INSTANCE_PATTERN = /^[0-9a-f-]{36}$/

/**
 * The id of the instance that owns a state directory: made once, then kept, so that a restarted
 * Sentinel knows what the one before it left. Whoever owns the data directory owns it alone.
 */
export function instanceOf(stateDirectory: string): string {
  mkdirSync(stateDirectory, { recursive: true, mode: 0o700 })
  const path = join(stateDirectory, "instance")
  const known = readInstance(path)
  if (known !== undefined) return known
  const made = randomUUID()
  writeFileSync(path, `${made}\n`, { mode: 0o600 })
  return made
}

function readInstance(path: string): string | undefined {
  try {
    const text = readFileSync(path, "utf8").trim()
    return INSTANCE_PATTERN.test(text) ? text : undefined
  } catch {
    return undefined
  }
}

/** Who started a container: a process of one boot in one PID namespace. */
export interface Owner {
  readonly boot: string
  readonly namespace: string
  readonly pid: number
  /** Start time in clock ticks: a pid alone may be somebody else's by now. */
  readonly startTicks: string
}

export function ownOwner(): Owner {
  return {
    boot: kernelText("/proc/sys/kernel/random/boot_id"),
    namespace: pidNamespace(),
    pid: process.pid,
    startTicks: startTicksOf(process.pid) ?? "",
  }
}

export function ownerLabel({ boot, namespace, pid, startTicks }: Owner): string {
  return [boot, namespace, pid, startTicks].join("/")
}

/**
 * True only where the owner is known to be gone: same boot and same PID namespace, but no such
 * process. One of another machine or namespace cannot be seen from here and counts as alive.
 */
export function isDeadOwner(label: string | undefined, own: Owner = ownOwner()): boolean {
  const [boot, namespace, pid, startTicks] = (label ?? "").split("/")
  if (boot !== own.boot || namespace !== own.namespace || !/^\d{1,10}$/.test(pid ?? ""))
    return false
  return startTicksOf(Number(pid)) !== startTicks
}

function startTicksOf(pid: number): string | undefined {
  // after the command, which may hold spaces and parentheses: state is the first, start the 20th
  const fields = kernelText(`/proc/${pid}/stat`).split(") ").at(-1)?.split(" ")
  return fields?.[0] === "Z" ? undefined : fields?.[19]
}

function pidNamespace(): string {
  try {
    return readlinkSync("/proc/self/ns/pid")
  } catch {
    return "unknown"
  }
}
