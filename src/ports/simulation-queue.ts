import type { SuspectPayload, Verdict } from "../events.ts"

/** Payloads to try in a sandbox: a session of the analysis, or what a person asked for. */
export interface SimulationTask {
  /** Of the evidence; the simulation's own id where a person asked. What makes the task one. */
  readonly eventId: string
  readonly sessionId: string
  /** 0..9, the higher the sooner. */
  readonly priority: number
  readonly eventTimeMs: number
  /** Absent where a person asked. */
  readonly verdict?: Verdict
  /** Absent in what earlier versions queued: nothing is simulated. */
  readonly suspects?: readonly SuspectPayload[]
}

/** A task that is somebody's until it is acknowledged, given back, or the lease is over. */
export interface SimulationLease {
  readonly id: string
  readonly task: SimulationTask
  /** How often the task was handed out, this time included. */
  readonly deliveries: number
}

export interface SimulationDepth {
  readonly ready: number
  readonly leased: number
  /** Tasks given up since the queue was opened: no room, or handed out too often. */
  readonly dropped: number
}

/**
 * The queue between analysis and simulation: bounded, durable, at least once.
 *
 * Higher priorities first, among those at hand; equal ones in order of arrival.
 */
export interface SimulationQueue {
  /** Resolves once the task is durable. One event is queued once, however often it comes. */
  enqueue(task: SimulationTask): Promise<"new" | "same">
  /**
   * What is ready now, at most `max` (1..100) tasks; they come back after `leaseMs`, and
   * one that was handed out too often is dropped.
   */
  take(options: {
    readonly max: number
    readonly leaseMs: number
  }): Promise<readonly SimulationLease[]>
  /** The task is done. False where it went back or to another meanwhile. */
  ack(leaseId: string): Promise<boolean>
  /** Gives a task back that is not to blame: this delivery does not count. False as for `ack`. */
  release(leaseId: string): Promise<boolean>
  /** @throws UnavailableError */
  depth(): Promise<SimulationDepth>
  close(): Promise<void>
}
