import type { Classification } from "../../events.ts"
import { redactCredentials } from "../../evidence/redact.ts"
import type { Tally, TrialCounts } from "../../model-traffic.ts"
import { COUNTED_CLASSES, classIndex } from "./arm-meter.ts"

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
  readonly #counts = {
    errors: tally(),
    slow: tally(),
    missedAttacks: tally(),
    falseAlarms: tally(),
  }
  #compared = 0
  #disagreed = 0

  compare(compared: Compared): void {
    const { reference, trial } = compared
    count(this.#counts.errors, trial === undefined)
    if (reference === undefined || trial === undefined) return
    this.#compared += 1
    count(this.#counts.slow, isSlow(trial.elapsedMs, reference.elapsedMs))
    const [expected, given] = [reference.classification, trial.classification]
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

  /** The last ones, newest last. */
  examples(): readonly Disagreement[] {
    return this.#examples
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
