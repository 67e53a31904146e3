import type { SandboxDescription } from "../ports/sandbox.ts"
import type { SimulatedClass } from "../twin-protocol.ts"
import type { LineChannel } from "./line-channel.ts"

/** What the kernel counted for a host since it started. */
export interface HostUsage {
  /** Of all its processes, in milliseconds; undefined where the driver cannot tell. */
  readonly cpuMs: number | undefined
  readonly memoryPeakBytes: number | undefined
  /** undefined while it runs. */
  readonly exitCode: number | undefined
  readonly outOfMemory: boolean
}

/** A container or process that holds a twin and has said that it is ready. */
export interface TwinHost {
  readonly id: string
  readonly class: SimulatedClass
  readonly channel: LineChannel
  usage(): Promise<HostUsage>
  /** Stops everything inside at once, and keeps what `usage` tells. */
  kill(): Promise<void>
  /** Kills and removes; a second time it does nothing. @throws SandboxUnavailableError */
  destroy(): Promise<void>
}

/** One way to isolate twins. */
export interface SandboxDriver {
  describe(twinClass?: SimulatedClass): SandboxDescription
  /** @throws SandboxUnavailableError */
  start(twinClass: SimulatedClass, signal: AbortSignal): Promise<TwinHost>
  /** Destroys what dead processes of this instance, or dead instances, left; how many. */
  reap(): Promise<number>
}

/** Writes to the audit log; what cannot be written does not happen. */
export type Audit = (eventType: string, data: Readonly<Record<string, unknown>>) => Promise<void>

/** A host as people and the audit log name it: the first 12 characters, as Docker's own tools do. */
export function shortId(id: string): string {
  return id.slice(0, 12)
}

/** Waits for the first line of a twin: `{"ready": true, ...}`. */
export async function isReady(channel: LineChannel, signal: AbortSignal): Promise<boolean> {
  const line = await channel.receive(signal)
  return line?.includes('"ready"') === true
}
