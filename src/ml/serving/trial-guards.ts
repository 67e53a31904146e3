import type { Tally, Trial, TrialCounts } from "../../model-traffic.ts"
import { SequentialTest, type SequentialTestOptions } from "./sequential-test.ts"

/** Judged by a sequential test each. */
const TESTED = [
  ...(["errors", "latency", "missed_attacks"] as const),
  ...(["false_alarms", "false_positive_reports"] as const),
] as const
type TestedGuard = (typeof TESTED)[number]

/** What is looked at while a model is on trial. */
export const GUARD_NAMES = [...TESTED, "memory"] as const
export type GuardName = (typeof GUARD_NAMES)[number]

/** Chance that a stage of a trial with which nothing is wrong is ended, however long it lasts. */
export const FALSE_ALARM_RATE = 0.01
const EVIDENCE_MIN = TESTED.length / FALSE_ALARM_RATE

/** Rates up to which nothing is wrong, and from which something is. */
export const GUARD_RATES = {
  errors: { usual: 0.001, bad: 0.05 },
  latency: { usual: 0.05, bad: 0.5 },
  missed_attacks: { usual: 0.1, bad: 0.4 },
  false_alarms: { usual: 0.01, bad: 0.05 },
  // On probation all reports are about the trial's answers: half of them may be news.
  false_positive_reports: { usual: 0.5, bad: 0.9 },
} as const satisfies Readonly<Record<TestedGuard, SequentialTestOptions>>
/** A canary may have this many times its share of the reports before they are bad. */
const REPORTS_TIMES = 4

/** Growth of the process since the stage began, for as long as MEMORY_LOOKS looks in a row. */
export const MEMORY_GROWTH_MAX = 512 * 1_048_576
export const MEMORY_LOOKS = 40

/** To disagree is what a shadow is for: it shows in the matrix and ends nothing. */
const SHADOW_GUARDS: readonly GuardName[] = ["errors", "latency", "memory"]

const WORDS: Readonly<Record<TestedGuard, string>> = {
  errors: "calls failed",
  latency: "payloads took several times as long as with the reference",
  missed_attacks: "attacks of the reference were called benign",
  false_alarms: "benign payloads of the reference were called attacks",
  false_positive_reports:
    "false-positive reports were about answers that the reference had not given",
}

const NO_TALLY: Tally = { events: 0, trials: 0 }
/** Of a trial that has seen nothing. */
export const NO_COUNTS: TrialCounts = {
  errors: NO_TALLY,
  slow: NO_TALLY,
  missedAttacks: NO_TALLY,
  falseAlarms: NO_TALLY,
}

export interface GuardReading {
  readonly counts: TrialCounts
  /** Reports on which trial and reference disagree; events are those against the trial. */
  readonly reports: Tally
  /** Resident memory of the process; with workers the mean of all. */
  readonly residentBytes: number
}

export interface GuardTrip {
  readonly guard: GuardName
  /** For people; holds nothing that a client sent. */
  readonly reason: string
}

/**
 * Decides whether a trial goes on. Errors, latency, verdicts and reports are judged by sequential tests
 * which together end a sound trial with a chance of at most FALSE_ALARM_RATE. Memory cannot be told
 * apart by model: where the process keeps growing, what is newest is taken back.
 */
export class TrialGuards {
  readonly #mode: Trial["mode"]
  readonly #start: GuardReading
  readonly #rates: Readonly<Record<TestedGuard, SequentialTestOptions>>
  readonly #tests: Readonly<Record<TestedGuard, SequentialTest>>
  readonly #resident: number[] = []
  #last: GuardReading

  /** @param start what was counted before the stage, which counts for nothing in it */
  constructor({ mode, percent }: Pick<Trial, "mode" | "percent">, start: GuardReading) {
    this.#mode = mode
    this.#start = start
    this.#last = start
    this.#rates =
      mode === "canary"
        ? { ...GUARD_RATES, false_positive_reports: reportRates(percent / 100) }
        : GUARD_RATES
    this.#tests = {
      errors: new SequentialTest(this.#rates.errors),
      latency: new SequentialTest(this.#rates.latency),
      missed_attacks: new SequentialTest(this.#rates.missed_attacks),
      false_alarms: new SequentialTest(this.#rates.false_alarms),
      false_positive_reports: new SequentialTest(this.#rates.false_positive_reports),
    }
  }

  /** Takes in what was counted since the last look. @returns the first guard that has seen enough */
  look(reading: GuardReading): GuardTrip | undefined {
    for (const name of TESTED) {
      this.#tests[name].observe(since(tallyOf(name, this.#last), tallyOf(name, reading)))
    }
    this.#last = reading
    this.#resident.push(reading.residentBytes)
    if (this.#resident.length > MEMORY_LOOKS) this.#resident.shift()
    const tripped = GUARD_NAMES.find((name) => this.#counts(name) && this.evidence(name) >= 1)
    return tripped && { guard: tripped, reason: this.#reason(tripped) }
  }

  /** How far a guard is from tripping: 0 nothing, 1 and above tripped. */
  evidence(name: GuardName): number {
    if (name === "memory") return this.#growth() / MEMORY_GROWTH_MAX
    return Math.log(this.#tests[name].evidence) / Math.log(EVIDENCE_MIN)
  }

  #counts(name: GuardName): boolean {
    return this.#mode !== "shadow" || SHADOW_GUARDS.includes(name)
  }

  /** What has stayed for all of the last looks: garbage that is collected meanwhile is no growth. */
  #growth(): number {
    if (this.#resident.length < MEMORY_LOOKS) return 0
    return Math.max(0, Math.min(...this.#resident) - this.#start.residentBytes)
  }

  #reason(name: GuardName): string {
    if (name === "memory") {
      return `memory: the process has grown by ${Math.round(this.#growth() / 1_048_576)} MiB since this stage began`
    }
    const { events, trials } = since(tallyOf(name, this.#start), tallyOf(name, this.#last))
    const usual = (this.#rates[name].usual * 100).toPrecision(2)
    return `${name}: ${events} of ${trials} ${WORDS[name]} (usual: up to ${Number(usual)}%)`
  }
}

function tallyOf(name: TestedGuard, { counts, reports }: GuardReading): Tally {
  if (name === "errors") return counts.errors
  if (name === "latency") return counts.slow
  if (name === "missed_attacks") return counts.missedAttacks
  return name === "false_alarms" ? counts.falseAlarms : reports
}

function since(before: Tally, now: Tally): Tally {
  return { events: now.events - before.events, trials: now.trials - before.trials }
}

/** With equally good models, a canary's share of the reports is its share of the traffic. */
function reportRates(share: number): SequentialTestOptions {
  const times = share * REPORTS_TIMES
  return { usual: share, bad: times / (times + 1 - share) }
}
