import type { Classification } from "../../events.ts"
import { redactCredentials } from "../../evidence/redact.ts"
import type { Tally, TrialCounts } from "../../model-traffic.ts"
import { type ArmMeter, COUNTED_CLASSES, classIndex } from "./arm-meter.ts"
import { SCORE_BINS, scoreBin } from "./population-stability.ts"

/** A model is slow on a payload where it takes this many times as long as the other, and this much longer. */
const SLOW_TIMES = 4
const SLOW_MORE_MS = 0.25
/** Sessions are told apart by so many slots: one that shares a slot with another has no vote. */
export const SESSION_SLOTS = 16_384
const EXAMPLES_MAX = 50
const EXAMPLE_CHARS = 200
/** More of a text than is ever shown of it, so that what is cut off cannot reveal a secret. */
const REDACTED_CHARS = 4_096
const CLASSES = COUNTED_CLASSES.length
const VOTED_ON_ATTACK = 1
const VOTED_ON_BENIGN = 2

/** One answer of one model, and what it took; undefined where it threw. */
export type Judged =
  | { readonly classification: Classification; readonly elapsedMs: number }
  | undefined

export interface Compared {
  readonly text: string
  /** 0..SESSION_SLOTS-1 */
  readonly slot: number
  readonly reference: Judged
  readonly trial: Judged
}

/** Rows are the reference's classes, columns the trial's, in the order of `classes`. */
export interface Agreement {
  readonly classes: readonly string[]
  readonly matrix: readonly (readonly number[])[]
  readonly compared: number
  readonly disagreed: number
}

/** P(attack) by tenth, of both on the same payloads: their drift from each other is read from it. */
export interface PairedScores {
  readonly reference: readonly number[]
  readonly trial: readonly number[]
}

/** A payload on which two models disagree, redacted and cut. */
export interface Disagreement {
  readonly payload: string
  readonly reference: string
  readonly reference_confidence: number
  readonly trial: string
  readonly trial_confidence: number
}

/**
 * Holds a model on trial against its reference, payload by payload, so that neither the mix of the
 * traffic nor the length of its texts can pass for a difference between the models.
 *
 * A session votes once on an attack and once on a benign payload: who sends a thousand variants of one
 * text must not decide a trial. The matrix counts every payload.
 */
export class TrialComparison {
  readonly #matrix = new Float64Array(CLASSES * CLASSES)
  readonly #voted = new Uint8Array(SESSION_SLOTS)
  readonly #examples: Disagreement[] = []
  readonly #scores = { reference: emptyScores(), trial: emptyScores() }
  readonly #shadow: Pick<ArmMeter, "answered" | "took" | "failed"> | undefined
  readonly #counts = {
    errors: tally(),
    slow: tally(),
    missedAttacks: tally(),
    falseAlarms: tally(),
  }
  #compared = 0
  #disagreed = 0

  /** @param shadow counts what a model says that answers nobody: all that is known of it comes by here */
  constructor(shadow?: Pick<ArmMeter, "answered" | "took" | "failed">) {
    this.#shadow = shadow
  }

  compare(compared: Compared): void {
    const { reference, trial } = compared
    count(this.#counts.errors, trial === undefined)
    this.#meter(trial)
    if (reference === undefined || trial === undefined) return
    this.#compared += 1
    count(this.#counts.slow, isSlow(trial.elapsedMs, reference.elapsedMs))
    const [expected, given] = [reference.classification, trial.classification]
    addScore(this.#scores.reference, expected)
    addScore(this.#scores.trial, given)
    const cell = classIndex(expected.class) * CLASSES + classIndex(given.class)
    this.#matrix[cell] = (this.#matrix[cell] as number) + 1
    this.#vote(compared.slot, expected, given)
    if (expected.class !== given.class) this.#disagree(compared.text, expected, given)
  }

  counts(): TrialCounts {
    const { errors, slow, missedAttacks, falseAlarms } = this.#counts
    return {
      errors: { ...errors },
      slow: { ...slow },
      missedAttacks: { ...missedAttacks },
      falseAlarms: { ...falseAlarms },
    }
  }

  agreement(): Agreement {
    const rows = COUNTED_CLASSES.map((_, row) => [
      ...this.#matrix.subarray(row * CLASSES, (row + 1) * CLASSES),
    ])
    const [compared, disagreed] = [this.#compared, this.#disagreed]
    return { classes: COUNTED_CLASSES, matrix: rows, compared, disagreed }
  }

  scores(): PairedScores {
    const { reference, trial } = this.#scores
    return { reference: [...reference], trial: [...trial] }
  }

  /** The last ones, newest last. */
  examples(): readonly Disagreement[] {
    return this.#examples
  }

  #meter(trial: Judged): void {
    if (trial === undefined) {
      this.#shadow?.failed()
      return
    }
    this.#shadow?.answered(trial.classification)
    this.#shadow?.took(trial.elapsedMs)
  }

  #vote(slot: number, expected: Classification, given: Classification): void {
    const isAttack = expected.class !== "benign"
    const vote = isAttack ? VOTED_ON_ATTACK : VOTED_ON_BENIGN
    const voted = this.#voted[slot] ?? 0
    if ((voted & vote) !== 0) return
    this.#voted[slot] = voted | vote
    if (isAttack) count(this.#counts.missedAttacks, given.class === "benign")
    else count(this.#counts.falseAlarms, given.class !== "benign")
  }

  #disagree(text: string, expected: Classification, given: Classification): void {
    this.#disagreed += 1
    this.#examples.push({
      payload: redactCredentials(text.slice(0, REDACTED_CHARS)).slice(0, EXAMPLE_CHARS),
      reference: expected.class,
      reference_confidence: expected.confidence,
      trial: given.class,
      trial_confidence: given.confidence,
    })
    if (this.#examples.length > EXAMPLES_MAX) this.#examples.shift()
  }
}

function emptyScores(): number[] {
  return new Array<number>(SCORE_BINS).fill(0)
}

function addScore(scores: number[], { probabilities }: Classification): void {
  const bin = scoreBin(1 - (probabilities.benign ?? 0))
  scores[bin] = (scores[bin] ?? 0) + 1
}

function isSlow(elapsedMs: number, referenceMs: number): boolean {
  return elapsedMs > referenceMs * SLOW_TIMES && elapsedMs > referenceMs + SLOW_MORE_MS
}

function tally(): { -readonly [Name in keyof Tally]: number } {
  return { events: 0, trials: 0 }
}

function count(counted: ReturnType<typeof tally>, happened: boolean): void {
  counted.trials += 1
  if (happened) counted.events += 1
}
