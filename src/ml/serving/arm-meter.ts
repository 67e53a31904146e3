import { type Classification, PAYLOAD_CLASSES } from "../../events.ts"
import { SCORE_BINS, scoreBin } from "./population-stability.ts"

/** The classes that an answer is counted under; the last stands for every other word. */
export const COUNTED_CLASSES = [...PAYLOAD_CLASSES, "other"] as const

const INDEX_OF_CLASS = new Map<string, number>(COUNTED_CLASSES.map((name, index) => [name, index]))
const OTHER = COUNTED_CLASSES.length - 1

export function classIndex(name: string): number {
  return INDEX_OF_CLASS.get(name) ?? OTHER
}

/** What one model has done since it was loaded. Plain data, to be summed over processes. */
export interface ArmCounts {
  /** Answers by class, in the order of COUNTED_CLASSES; remembered ones included. */
  readonly classes: readonly number[]
  /** Answers by tenth of P(attack), which drift is read from. */
  readonly scores: readonly number[]
  readonly confidenceSum: number
  /** Calls of the model: answers that were not remembered. */
  readonly calls: number
  readonly callMsSum: number
  readonly errors: number
  /** Payloads that were meant for this model and answered by another one or by rules. */
  readonly degraded: number
}

/** Counts answers of one model: a few array writes each, on the hot path. */
export class ArmMeter {
  readonly #classes = new Float64Array(COUNTED_CLASSES.length)
  readonly #scores = new Float64Array(SCORE_BINS)
  #confidenceSum = 0
  #calls = 0
  #callMsSum = 0
  #errors = 0
  #degraded = 0

  answered({ class: name, confidence, probabilities }: Classification): void {
    add(this.#classes, classIndex(name))
    add(this.#scores, scoreBin(1 - (probabilities.benign ?? 0)))
    this.#confidenceSum += confidence
  }

  took(elapsedMs: number): void {
    this.#calls += 1
    this.#callMsSum += elapsedMs
  }

  failed(): void {
    this.#errors += 1
  }

  stoodIn(): void {
    this.#degraded += 1
  }

  counts(): ArmCounts {
    return {
      classes: [...this.#classes],
      scores: [...this.#scores],
      confidenceSum: this.#confidenceSum,
      calls: this.#calls,
      callMsSum: this.#callMsSum,
      errors: this.#errors,
      degraded: this.#degraded,
    }
  }
}

function add(counts: Float64Array, index: number): void {
  counts[index] = (counts[index] as number) + 1
}
