/**
 * What goes into a twin and what comes out: the words that the sandbox and its contents share.
 *
 * A twin is a small vulnerable copy of what attackers aim at. It runs one payload in one process
 * that is used once, and says what the payload did. It is not believed alone: whoever runs it
 * measures it from outside as well (`OutsideMeasurement` in ports.ts).
 */

export const SIMULATED_CLASSES = [
  "sql_injection",
  "xss",
  "command_injection",
  "path_traversal",
] as const
export type SimulatedClass = (typeof SIMULATED_CLASSES)[number]

/** What a payload can do in a twin. `syntax_error` alone is weak evidence and never a hit. */
export const TWIN_EFFECTS = [
  "canary_leaked",
  "authentication_bypassed",
  "rows_changed",
  "statement_run",
  "delay_measured",
  "error_leaked",
  "syntax_error",
  "command_run",
  "file_created",
  "output_leaked",
  "process_spawned",
  "file_opened",
  "script_run",
  "handler_reachable",
] as const
export type TwinEffectKind = (typeof TWIN_EFFECTS)[number]

export const TWIN_LIMITS = {
  payloadBytesMax: 16_384,
  attemptsMax: 32,
  /** Templates with an effect after which a twin may stop, and above which a score counts no more. */
  provingTemplates: 4,
  programCharactersMax: 4_096,
  detailCharactersMax: 512,
} as const

/** One payload for one twin; one JSON line on its standard input. */
export interface TwinRequest {
  readonly id: string
  readonly class: SimulatedClass
  /** At most `TWIN_LIMITS.payloadBytesMax` bytes of UTF-8. */
  readonly payload: string
  /** Where the evidence found it, e.g. `query:q`, `path:2`, `cookie:theme`, `json:$.user.name`. */
  readonly location: string
  /** 32 hex digits, random per run: what no payload can know and no twin can guess. */
  readonly canary: string
  /** Only these templates, by name; absent = all. */
  readonly templates?: readonly string[]
  /** Time that the twin gives itself; the limit from outside is longer. */
  readonly budgetMs: number
}

export interface TwinEffect {
  readonly kind: TwinEffectKind
  /** What was seen, for people: at most `TWIN_LIMITS.detailCharactersMax` characters. */
  readonly detail: string
}

/** A template with the payload in its place, and what happened beyond the baseline. */
export interface TwinAttempt {
  readonly template: string
  /** The statement, script, path or page as it ran; cut at `TWIN_LIMITS.programCharactersMax`. */
  readonly program: string
  readonly effects: readonly TwinEffect[]
}

export type TwinInconclusive =
  /** Of a database that the twin does not speak, where a translation would not be exact. */
  | "dialect"
  /** Of a shell or system that the twin is not. */
  | "platform"
  | "too_large"
  | "budget_exceeded"
  /** The benign control had an effect too, so nothing can be told. */
  | "control_failed"

/** One JSON line on the twin's standard output. */
export interface TwinAnswer {
  readonly id: string
  readonly class: SimulatedClass
  /** Attempts with effects, the strongest first, at most `TWIN_LIMITS.attemptsMax`. */
  readonly attempts: readonly TwinAttempt[]
  readonly templatesTried: number
  /** What the benign control did in the same templates; empty when all is well. */
  readonly controlAttempts: readonly TwinAttempt[]
  /** Why nothing can be said, where no attempt is a hit. */
  readonly inconclusive?: TwinInconclusive
}

/** A twin: total, never throws for a payload, and leaves nothing outside its working directory. */
export interface Twin {
  readonly class: SimulatedClass
  readonly templates: readonly string[]
  /** Loads and warms what no request should wait for. */
  prepare?(): Promise<void>
  /**
   * `report` is for each attempt with an effect, as soon as it is known: all that is left of a run
   * that has to be killed. A twin that calls it has run its control before.
   */
  run(request: TwinRequest, workDirectory: string, report?: ReportAttempt): Promise<TwinAnswer>
}

/**
 * Readies a report, and gives what sends it: a payload that owns the process by then can no longer
 * change what is said.
 */
export type ReportAttempt = (attempt: TwinAttempt) => () => void
