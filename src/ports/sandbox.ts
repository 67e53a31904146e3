import type { TwinAnswer, TwinRequest } from "../twin-protocol.ts"

export type SandboxDriverName = "docker" | "bubblewrap" | "none"

/** What holds a twin: part of every result. */
export interface SandboxDescription {
  readonly driver: SandboxDriverName
  /** e.g. `runc`, `runsc`, `bwrap`; undefined without a driver. */
  readonly runtime: string | undefined
  /** `sha256:<hex>` of the image; undefined without one. */
  readonly imageDigest: string | undefined
  /** By snake_case name with the unit last, e.g. `memory_bytes`, `pids`, `timeout_ms`. */
  readonly limits: Readonly<Record<string, number>>
  /** Why a better driver is not used, for people. */
  readonly notes: readonly string[]
}

/** What was seen from outside of the twin: what it cannot forge. */
export interface OutsideMeasurement {
  readonly wallMs: number
  /** undefined where the driver cannot tell. */
  readonly cpuMs: number | undefined
  readonly memoryPeakBytes: number | undefined
  readonly exitCode: number | undefined
  readonly timedOut: boolean
  readonly outOfMemory: boolean
}

export interface SandboxRun {
  /** undefined where the twin gave none: it was killed, crashed or spoke nonsense. */
  readonly answer: TwinAnswer | undefined
  readonly outside: OutsideMeasurement
  readonly sandbox: SandboxDescription
}

export interface SandboxPool {
  readonly ready: number
  readonly busy: number
  readonly replaced: number
}

export interface PanicReport {
  /** True when nothing of Sentinel is left. */
  readonly isClean: boolean
  readonly destroyed: number
  /** What could not be destroyed or checked, in words. */
  readonly left: readonly string[]
}

/** Runs twins in isolation. Nothing that it starts outlives `close`. */
export interface Sandbox {
  describe(): SandboxDescription
  /**
   * Runs one payload in a process that is used once, and kills it from outside at `timeoutMs`.
   * @throws SandboxUnavailableError (retryable) without a driver, SandboxPanickedError after a panic
   */
  run(
    request: TwinRequest,
    options: { readonly timeoutMs: number; readonly signal?: AbortSignal },
  ): Promise<SandboxRun>
  pool(): Readonly<Record<string, SandboxPool>>
  /** Destroys everything by label at once and refuses new runs until `resume`. */
  panic(reason: string): Promise<PanicReport>
  resume(): Promise<void>
  isPanicked(): boolean
  close(): Promise<void>
}

/** What the audit log knows; every entry is chained to the one before. */
export interface AuditEntry {
  /** 1, 2, ... without a gap. */
  readonly sequence: number
  /** ISO 8601 */
  readonly timestamp: string
  readonly event_type: string
  readonly data: Readonly<Record<string, unknown>>
  /** sha256 (hex) of the entry before; 64 zeros for the first. */
  readonly previous: string
  /** sha256 (hex) of this entry without `hash`, as canonical JSON. */
  readonly hash: string
}

/** Where a chain ends; an empty one has the count 0 and 64 zeros. */
export interface AuditHead {
  readonly count: number
  /** sha256 (hex) of the newest entry. */
  readonly hash: string
}

/** Keeps the head apart from the log, so that a log cut at its end is noticed. */
export interface AuditHeadStore {
  /** undefined before the first write. */
  read(): AuditHead | undefined
  /** Resolves once durable. @throws UnavailableError */
  write(head: AuditHead): Promise<void>
}

/** Append-only. An entry is durable when `append` resolves. */
export interface AuditLog {
  /** @throws UnavailableError where it cannot be written; nothing of it remains then */
  append(eventType: string, data: Readonly<Record<string, unknown>>): Promise<AuditEntry>
  head(): AuditHead
  /** Newest last, at most `limit` (1..1000). */
  tail(limit: number): Promise<readonly AuditEntry[]>
  close(): Promise<void>
}
