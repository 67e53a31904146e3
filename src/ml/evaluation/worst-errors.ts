import type { LabelledPayload } from "./labelled-payloads.ts"
import type { JudgedPayload } from "./payload-report.ts"

/** A row that the classifier got wrong. The text is hostile: escape it wherever it is shown. */
export interface JudgementError {
  readonly source: string
  readonly label: string
  readonly predicted: string
  /** 1 - P(benign) */
  readonly attackProbability: number
  /** Its first 200 characters. */
  readonly text: string
}

export interface WorstErrors {
  /** Attacks called benign, the most surely benign first. */
  readonly missed: readonly JudgementError[]
  /** Benign rows called attacks, the most surely attacks first. */
  readonly falseAlarms: readonly JudgementError[]
  /** Attacks called by another class's name, the surest first. */
  readonly confused: readonly JudgementError[]
}

const TEXT_CHARS = 200

/** Keeps the `errorsMax` worst errors of each sort among all rows offered. */
export class ErrorCollector {
  readonly #errorsMax: number
  readonly #missed: Ranked[] = []
  readonly #falseAlarms: Ranked[] = []
  readonly #confused: Ranked[] = []

  constructor(errorsMax: number) {
    this.#errorsMax = errorsMax
  }

  offer(row: LabelledPayload, judged: JudgedPayload): void {
    if (judged.predicted === row.label) return
    if (judged.predicted === "benign") this.#keep(this.#missed, row, judged)
    else if (row.label === "benign") this.#keep(this.#falseAlarms, row, judged)
    else this.#keep(this.#confused, row, judged)
  }

  worst(): WorstErrors {
    return {
      missed: this.#missed.map(({ error }) => error),
      falseAlarms: this.#falseAlarms.map(({ error }) => error),
      confused: this.#confused.map(({ error }) => error),
    }
  }

  #keep(list: Ranked[], row: LabelledPayload, judged: JudgedPayload): void {
    const place = list.findIndex(({ confidence }) => confidence < judged.confidence)
    list.splice(place < 0 ? list.length : place, 0, rank(row, judged))
    list.splice(this.#errorsMax)
  }
}

interface Ranked {
  readonly confidence: number
  readonly error: JudgementError
}

function rank(row: LabelledPayload, judged: JudgedPayload): Ranked {
  const { source, label, text } = row
  const { predicted, attackProbability, confidence } = judged
  const cut = text.slice(0, TEXT_CHARS)
  return { confidence, error: { source, label, predicted, attackProbability, text: cut } }
}
