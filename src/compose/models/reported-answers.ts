import type { TrafficClassifier } from "../../ml/serving/traffic-classifier.ts"
import type { Tally } from "../../model-traffic.ts"
import type { PayloadClassifier } from "../../ports.ts"

/** A payload that was called an attack and is none. */
export interface Reported {
  readonly payload: string
  readonly sessionId?: string | undefined
}

/** False-positive reports, counted by the model that answers their payload and for the guards. */
export class ReportedAnswers {
  readonly #classifier: TrafficClassifier
  readonly #byModel = new Map<string, number>()
  #tally = { events: 0, trials: 0 }

  constructor(classifier: TrafficClassifier) {
    this.#classifier = classifier
  }

  /** Reports by model id, since the process started. */
  get byModel(): ReadonlyMap<string, number> {
    return this.#byModel
  }

  /**
   * Reports since the last `reset` on which trial and reference disagree, on probation all of them;
   * events are those about an attack that only the trial saw.
   */
  get tally(): Tally {
    return { ...this.#tally }
  }

  /** A stage of a trial begins. */
  reset(): void {
    this.#tally = { events: 0, trials: 0 }
  }

  /** The model that answers this payload now. */
  modelOf(report: Reported): string {
    return this.#answerTo(report).model
  }

  /** Counts a report. One about a payload that is called benign by now counts against no model. */
  add(report: Reported): void {
    const { class: name, model } = this.#answerTo(report)
    if (name !== "benign") this.#byModel.set(model, (this.#byModel.get(model) ?? 0) + 1)
    const { trial } = this.#classifier.traffic()
    if (trial === undefined) return
    const isTried = callsAttack(trial.model.uncached, report.payload)
    const isExpected = callsAttack(trial.reference.uncached, report.payload)
    if (trial.percent >= 100 || isTried !== isExpected) this.#tally.trials += 1
    if (isTried && !isExpected) this.#tally.events += 1
  }

  #answerTo({ payload: text, sessionId }: Reported) {
    const options = sessionId === undefined ? {} : { sessionId }
    return this.#classifier.lookup({ text }, options).classification
  }
}

/** A model that fails is the matter of another guard. */
function callsAttack(classifier: PayloadClassifier, text: string): boolean {
  try {
    return classifier.classify({ text }).class !== "benign"
  } catch {
    return false
  }
}
