import type { SimulatedClass } from "../twin-protocol.ts"

const MIB = 1024 * 1024

/** What one sandbox may use. */
export interface TwinLimits {
  /** Hard bound of one run from outside, whatever the caller allows. */
  readonly timeoutMs: number
  /** Memory of everything inside together; swap included. */
  readonly memoryBytes: number
  /** Processes and threads together: a Bun process alone has about a dozen. */
  readonly pids: number
  /** Share of one processor. */
  readonly cpus: number
  /** Bytes and files of the only writable place, `/tmp`. */
  readonly tmpfsBytes: number
  readonly tmpfsInodes: number
  readonly openFiles: number
  readonly fileBytes: number
}

const COMMON = {
  pids: 128,
  cpus: 1,
  tmpfsBytes: 16 * MIB,
  tmpfsInodes: 4_096,
  openFiles: 1_024,
  fileBytes: 8 * MIB,
} as const

/** By class: a twin that needs longer or more than this is one that an attacker made need it. */
export const TWIN_LIMITS_BY_CLASS: Readonly<Record<SimulatedClass, TwinLimits>> = {
  sql_injection: { ...COMMON, timeoutMs: 10_000, memoryBytes: 384 * MIB },
  path_traversal: { ...COMMON, timeoutMs: 5_000, memoryBytes: 384 * MIB },
  command_injection: { ...COMMON, timeoutMs: 20_000, memoryBytes: 384 * MIB },
  xss: { ...COMMON, timeoutMs: 20_000, memoryBytes: 768 * MIB },
}

/** The limits as results carry them. */
export function describeLimits(limits: TwinLimits): Readonly<Record<string, number>> {
  return {
    timeout_ms: limits.timeoutMs,
    memory_bytes: limits.memoryBytes,
    pids: limits.pids,
    cpus: limits.cpus,
    tmpfs_bytes: limits.tmpfsBytes,
    tmpfs_inodes: limits.tmpfsInodes,
    open_files: limits.openFiles,
    file_bytes: limits.fileBytes,
  }
}
