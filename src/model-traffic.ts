import type { Classification } from "./events.ts"
import type { PayloadInput } from "./ports.ts"

/** The words of models under traffic: who answers, who is tried, and what was decided about whom. */

export const MODEL_STATES = ["candidate", "shadow", "canary", "live", "retired"] as const
export type ModelState = (typeof MODEL_STATES)[number]

/**
 * A model that is held against another one on the same payloads.
 *
 * `shadow` judges all and answers none; `canary` answers a share of the sessions; `probation` answers
 * all, and the model that it replaced is still asked beside it.
 */
export interface Trial {
  readonly modelId: string
  readonly mode: "shadow" | "canary" | "probation"
  /** Share of the sessions that it answers: 0 in the shadow, 100 on probation, between as a canary. */
  readonly percent: number
  /** The model that it is compared with, and that answers again where the trial fails. */
  readonly referenceId: string
  /** Epoch milliseconds at which this stage began. */
  readonly sinceMs: number
  /** True where it goes on from 1 to 10 to 100 percent by itself. */
  readonly auto: boolean
}

/** Which model answers what: plain data, so that one process can tell others. */
export interface TrafficPlan {
  /** Rises with each change; an older plan never replaces a newer one. */
  readonly revision: number
  readonly live: string
  /** The model that was live before: where a rollback goes, and who answers while `live` cannot. */
  readonly lastGood: string | undefined
  readonly trial: Trial | undefined
  /** The model of the second tier; absent where there is none, as ever before somebody promoted one. */
  readonly secondTier?: string | undefined
  /** Share of the sessions that it answers where it is unsure about them, 0 = in the shadow; absent = all. */
  readonly secondTierPercent?: number | undefined
}

/** One decision about one model. */
export interface ModelTransition {
  /** ISO 8601 */
  readonly at: string
  readonly from: ModelState
  readonly to: ModelState
  readonly percent: number
  /** Why, in words; never holds what a client sent. */
  readonly reason: string
}

/** A decision as others are told of it. */
export interface ModelDecision extends ModelTransition {
  readonly modelId: string
  /** The guard that decided it; undefined where an operator, the schedule or the start did. */
  readonly guard: string | undefined
  /** Who answers since. */
  readonly live: string
  /** Of the plan that holds since. */
  readonly revision: number
}

/** The payloads that a model's figures were measured on. */
export interface JudgedSet {
  readonly set: string
  readonly rows: number
  readonly attacks: number
}

/** The registered figures of two models, side by side. */
export interface FigureComparison {
  readonly modelId: string
  readonly live: string
  readonly figures: readonly ComparedFigure[]
  readonly judgedOn: JudgedSet | null
  readonly liveJudgedOn: JudgedSet | null
  /** What speaks against the model, in words; empty where nothing does. */
  readonly warnings: readonly string[]
}

export interface ComparedFigure {
  readonly figure: string
  /** null where it was not measured, as in `live`. */
  readonly model: number | null
  readonly live: number | null
}

/** What the registry remembers of one model beside its files. */
export interface ModelRecord {
  readonly state: ModelState
  /** The last ones, oldest first; see TRANSITIONS_MAX. */
  readonly transitions: readonly ModelTransition[]
}

/** Everything that must survive a restart. */
export interface RegistryState {
  readonly plan: TrafficPlan
  /** By model id; a model that is not here is a candidate that nobody has decided about. */
  readonly models: Readonly<Record<string, ModelRecord>>
}

/** Transitions kept for each model. */
export const TRANSITIONS_MAX = 100

/** Keeps the registry's state. One process at a time writes: the owner of the data directory. */
export interface ModelRegistryStore {
  /** undefined before the first write. @throws ModelRefusedError for a state that cannot be read */
  read(): RegistryState | undefined
  /** Returns once it is on disk: whatever happens, either the old state is there or the new one. */
  write(state: RegistryState): void
}

/** A number of events among a number of trials. */
export interface Tally {
  readonly events: number
  readonly trials: number
}

/** What the guards of a trial look at, each since its beginning. Plain data, to be summed over processes. */
export interface TrialCounts {
  /** Calls of the model on trial that threw. */
  readonly errors: Tally
  /** Payloads on which it took several times as long as its reference. */
  readonly slow: Tally
  /** Payloads that the reference called an attack, and the trial benign. */
  readonly missedAttacks: Tally
  /** Payloads that the reference called benign, and the trial an attack. */
  readonly falseAlarms: Tally
}

/** A slower model that is asked where the fast one is unsure, within a deadline. */
export interface SecondTier {
  readonly modelId: string
  /** Whether what the fast tier said leaves a doubt that is worth asking about. */
  isUnsure(said: Classification): boolean
  /**
   * What both say together; where the deadline cannot be held, what the fast tier said, `degraded`.
   * Never rejects.
   * @param arrivedMs monotonic milliseconds at which the request came: the deadline counts from there
   */
  judge(input: PayloadInput, said: Classification, arrivedMs: number): Promise<SecondedAnswer>
  /** Whether its answer is this session's; absent = always. One that is on trial is asked all the same. */
  answers?(input: PayloadInput, sessionId: string | undefined): boolean
}

export interface SecondedAnswer {
  readonly classification: Classification
  readonly cached: boolean
}

/** The second tier that answers now, if one does: it changes under traffic. */
export interface SecondTierSlot {
  readonly live: SecondTier | undefined
}

/** What became of a payload that the second tier was to be asked about; all but the first are degraded. */
export const SECOND_TIER_OUTCOMES = ["answered", "deadline", "busy", "failed", "skipped"] as const
export type SecondTierOutcome = (typeof SECOND_TIER_OUTCOMES)[number]
