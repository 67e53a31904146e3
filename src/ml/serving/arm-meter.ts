import { type Classification, PAYLOAD_CLASSES } from "../../events.ts"
import { SCORE_BINS, scoreBin } from "./population-stability.ts"

/** The classes that an answer is counted under; the last stands for every other word. */
export const COUNTED_CLASSES = [...PAYLOAD_CLASSES, "other"] as const
/** Upper bounds of the buckets of latency, milliseconds; one more bucket is above them. */
export const LATENCY_BOUNDS_MS = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 50]

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
  /** Calls that were not remembered, by bucket of LATENCY_BOUNDS_MS. */
  readonly latencies: readonly number[]
  readonly latencyMsSum: number
  readonly errors: number
  /** Payloads that were meant for this model and answered by another one or by rules. */
  readonly degraded: number
}

/** Counts answers of one model: a few array writes each, on the hot path. */
export class ArmMeter {
  readonly #classes = new Float64Array(COUNTED_CLASSES.length)
  readonly #scores = new Float64Array(SCORE_BINS)
  readonly #latencies = new Float64Array(LATENCY_BOUNDS_MS.length + 1)
  #confidenceSum = 0
  #latencyMsSum = 0
  #errors = 0
  #degraded = 0

  answered({ class: name, confidence, probabilities }: Classification): void {
    add(this.#classes, classIndex(name))
    add(this.#scores, scoreBin(1 - (probabilities.benign ?? 0)))
    this.#confidenceSum += confidence
  }

  took(elapsedMs: number): void {
    let bucket = 0
    while (bucket < LATENCY_BOUNDS_MS.length && elapsedMs > (LATENCY_BOUNDS_MS[bucket] as number)) {
      bucket += 1
    }
    add(this.#latencies, bucket)
    this.#latencyMsSum += elapsedMs
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
      latencies: [...this.#latencies],
      latencyMsSum: this.#latencyMsSum,
      errors: this.#errors,
      degraded: this.#degraded,
    }
  }
}

function add(counts: Float64Array, index: number): void {
  counts[index] = (counts[index] as number) + 1
}
