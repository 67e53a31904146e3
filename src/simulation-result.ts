import type { SandboxDescription, SandboxDriverName, SandboxRun } from "./ports/sandbox.ts"
import type { SimulationTask } from "./ports/simulation-queue.ts"
import type { Rule, RuleDecision } from "./rule.ts"
import type { SimulatedClass, TwinEffectKind, TwinRequest } from "./twin-protocol.ts"

/** The record types of the simulation flow and the wire form of its results (contract, section 3). */

export type SimulationVerdict = "exploit_possible" | "exploit_improbable" | "inconclusive"

/** A payload on its way through the sandbox. */
export interface SimulationSubject {
  readonly simulationId: string
  /** Of the verdict that asked for it; undefined for one that a person asked for. */
  readonly eventId: string | undefined
  readonly sessionId: string
  readonly payloadId: string
  readonly class: SimulatedClass
  readonly value: string
  readonly location: string
  /** P(class) that the classifier gave, 0..1; undefined where nobody classified it. */
  readonly confidence: number | undefined
  /** True where the payload is too large for a twin, and `value` its beginning only. */
  readonly truncated: boolean
}

/** A task with its distinct payloads. */
export interface PlannedSimulation {
  readonly task: SimulationTask
  readonly subjects: readonly SimulationSubject[]
  /** Results of an earlier delivery of the task, whose payloads are not run again. */
  readonly known: readonly KnownSimulation[]
  /** Epoch milliseconds. */
  readonly startedMs: number
  /** From then on nothing more is begun; epoch milliseconds. */
  readonly deadlineMs: number
}

/** A payload whose result the store has. */
export interface KnownSimulation {
  readonly subject: SimulationSubject
  readonly job: CompletedJob
}

/** What a twin was asked, and what came back. */
export interface TwinTrial {
  readonly request: TwinRequest
  readonly run: SandboxRun
}

/** Why a subject was never run. */
export type NotRun = "too_large" | "deadline"

/** A payload with its trials. */
export type SimulatedSubject = { readonly subject: SimulationSubject } & (
  | {
      readonly trial: TwinTrial
      /** The template of the strongest hit once more, with another canary; only after a hit. */
      readonly repetition?: TwinTrial
    }
  | { readonly notRun: NotRun; readonly sandbox: SandboxDescription }
)

export interface SimulatedTask extends PlannedSimulation {
  readonly simulated: readonly SimulatedSubject[]
}

export interface JudgedSubject {
  readonly subject: SimulationSubject
  readonly result: SimulationResult
}

export interface JudgedTask extends PlannedSimulation {
  readonly judged: readonly JudgedSubject[]
}

/** A rule and what the policy decided about it. */
export interface DecidedRule extends RuleDecision {
  readonly rule: Rule
}

export type CompletedJob = SimulationJob & {
  readonly completed_at: string
  readonly result: SimulationResult
}

/** Every result of the task is in the store. */
export interface StoredTask {
  readonly task: SimulationTask
  /** As the store holds them. */
  readonly completed: readonly CompletedJob[]
  /** The same with their payloads, which the store has only as they may be shown. */
  readonly judged: readonly JudgedSubject[]
  readonly deadlineMs: number
}

/** What leaves the flow: every result of the task, and what was decided to be done about it. */
export interface RecordedTask {
  readonly task: SimulationTask
  readonly completed: readonly CompletedJob[]
  /** Made from what was proven. */
  readonly rules?: readonly DecidedRule[]
}

/** One effect in one template. */
export interface SimulationSignal {
  readonly template: string
  readonly effect: TwinEffectKind
  readonly detail: string
}

/** A factor of the exploit score: the score is the value of the last one. */
export interface ScoreStep {
  readonly reason: string
  /** The score so far, 0..1. */
  readonly score: number
}

/** The wire form of a SandboxDescription. */
export interface DriverDocument {
  readonly name: SandboxDriverName
  readonly runtime?: string
  readonly image_digest?: string
  readonly limits: Readonly<Record<string, number>>
}

/** The wire form of an OutsideMeasurement; what the driver cannot tell is absent. */
export interface OutsideDocument {
  readonly wall_ms: number
  readonly cpu_ms?: number
  readonly memory_peak_bytes?: number
  readonly exit_code?: number
  readonly timed_out: boolean
  readonly out_of_memory: boolean
}

export interface SimulationResult {
  readonly simulation_id: string
  readonly event_id?: string
  readonly session_id: string
  readonly payload_id: string
  readonly verdict: SimulationVerdict
  /** Why it is inconclusive, or what an inconclusive part leaves open. */
  readonly reason?: string
  readonly attack_type: SimulatedClass
  /** 0..1 */
  readonly exploit_score: number
  readonly score_derivation: readonly ScoreStep[]
  /** 0..10 */
  readonly severity: number
  readonly signals: readonly SimulationSignal[]
  /** The smallest proof: absent without a hit. */
  readonly proof?: {
    readonly template: string
    readonly program: string
    readonly effect: TwinEffectKind
    readonly observed: string
  }
  /** The shortest payload found that still has the effect of the proof. */
  readonly minimised_payload?: string
  /** In words, for people: `exploitation_evidence` of the event. */
  readonly evidence: readonly string[]
  readonly affected_resources: readonly string[]
  readonly reproduction_steps: readonly string[]
  /** MITRE ATT&CK technique ids. */
  readonly techniques: readonly string[]
  readonly templates_tried: number
  readonly driver: DriverDocument
  readonly outside: OutsideDocument
  /** Milliseconds, every run included. */
  readonly execution_time_ms: number
}

/** What `GET sim-result/{id}` answers. */
export interface SimulationJob {
  readonly simulation_id: string
  /** Of the evidence; absent where a person asked. */
  readonly event_id?: string
  readonly session_id: string
  readonly status: "queued" | "running" | "completed" | "failed"
  /** As it may be shown: credentials masked, cut. */
  readonly payload: { readonly type: string; readonly value: string; readonly location?: string }
  /** ISO 8601 */
  readonly queued_at: string
  readonly started_at?: string
  readonly completed_at?: string
  readonly error?: { readonly code: string; readonly message: string }
  readonly result?: SimulationResult
}
