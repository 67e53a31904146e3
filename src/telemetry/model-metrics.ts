import { SECOND_TIER_OUTCOMES, type SecondTierOutcome } from "../model-traffic.ts"
import { counter, gauge, type Registry, tallyCounter } from "./metrics.ts"

/** One loaded model at the moment of a scrape. */
export interface ServedModelReading {
  readonly modelId: string
  /** live, canary, shadow or standby */
  readonly arm: string
  /** Share of the sessions that it answers, 0..100 */
  readonly percent: number
  readonly answers: Readonly<Record<string, number>>
  /** null before the first answer. */
  readonly confidenceMean: number | null
  readonly errors: number
  readonly degraded: number
  /** Calls that were not remembered, and what they took together. */
  readonly calls: number
  readonly callSeconds: number
  readonly breaker: "closed" | "half-open" | "open"
  readonly falsePositiveReports: number
  readonly feedbackPrecision: number | null
  readonly driftFromRegistration: number | null
  /** From the model that it is compared with; null where it is not on trial. */
  readonly driftFromReference: number | null
}

export interface ModelsReading {
  readonly models: readonly ServedModelReading[]
  /** undefined where nothing is on trial. */
  readonly trial:
    | {
        readonly compared: number
        readonly disagreed: number
        /** Name and evidence of each guard; it trips at 1. */
        readonly guards: readonly (readonly [string, number])[]
      }
    | undefined
  readonly skippedComparisons: number
  /** undefined where the fast tier answers alone. */
  readonly secondTier: Pick<ServedModelReading, "modelId" | "breaker"> | undefined
}

/** Shown as 0 before they first trip, so that a rate over them is right. */
const GUARDS = [
  ...["errors", "latency", "missed_attacks"],
  ...["false_alarms", "false_positive_reports", "memory"],
]
const BREAKER_STATES = { closed: 0, "half-open": 1, open: 2 } as const

/** What is read at each scrape from whoever serves the models, and rollbacks as they happen. */
export function createServedModelMetrics(registry: Registry) {
  let read: (() => ModelsReading) | undefined
  const models = (): readonly ServedModelReading[] => read?.().models ?? []
  exposeArms(registry, models)
  exposeHealth(registry, () => read?.())
  exposeQuality(registry, models)
  exposeTrial(registry, () => read?.())
  const rollbacks = counter(registry, {
    name: "cerberus_model_rollbacks_total",
    help: "Models that were taken back, by the guard that decided it.",
    labels: ["guard"],
    known: GUARDS.map((guard) => ({ guard })),
  })
  const secondTier = tallyCounter(registry, {
    name: "cerberus_sentinel_second_tier_total",
    help: "Payloads that the second tier was to be asked about, by what became of them.",
    labels: ["outcome"],
    known: SECOND_TIER_OUTCOMES.map((outcome) => ({ outcome })),
  })
  return {
    secondTierAsked: (outcome: SecondTierOutcome): void => secondTier(outcome),
    watchModels(reader: () => ModelsReading): void {
      read = reader
    },
    modelRolledBack: (guard: string): void => rollbacks.inc({ guard }),
  }
}

type Models = () => readonly ServedModelReading[]

/** Totals belong to a loaded model: one that is loaded anew begins at 0, as after a restart. */
function exposeArms(registry: Registry, models: Models): void {
  counter(registry, {
    name: "cerberus_model_answers_total",
    help: "Payloads answered, by model, arm and class.",
    labels: ["model", "arm", "class"],
    *read() {
      for (const { modelId: model, arm, answers } of models()) {
        for (const [name, count] of Object.entries(answers)) {
          yield [{ model, arm, class: name }, count]
        }
      }
    },
  })
  counter(registry, {
    name: "cerberus_model_errors_total",
    help: "Calls of a model that threw, by model and arm.",
    labels: ["model", "arm"],
    read: () => models().map(({ modelId: model, arm, errors }) => [{ model, arm }, errors]),
  })
  counter(registry, {
    name: "cerberus_model_degraded_total",
    help: "Payloads meant for a model that another model or the rules answered.",
    labels: ["model", "arm"],
    read: () => models().map(({ modelId: model, arm, degraded }) => [{ model, arm }, degraded]),
  })
  counter(registry, {
    name: "cerberus_model_calls_total",
    help: "Calls of a model: answers that were not remembered.",
    labels: ["model", "arm"],
    read: () => models().map(({ modelId: model, arm, calls }) => [{ model, arm }, calls]),
  })
  counter(registry, {
    name: "cerberus_model_call_seconds_total",
    help: "Time of the calls of a model, by model and arm.",
    labels: ["model", "arm"],
    read: () =>
      models().map(({ modelId: model, arm, callSeconds }) => [{ model, arm }, callSeconds]),
  })
  gauge(registry, {
    name: "cerberus_model_traffic_ratio",
    help: "Share of the sessions that a model answers.",
    labels: ["model", "arm"],
    read: () => models().map(({ modelId: model, arm, percent }) => [{ model, arm }, percent / 100]),
  })
}

function exposeHealth(registry: Registry, read: () => ModelsReading | undefined): void {
  gauge(registry, {
    name: "cerberus_model_circuit_breaker_state",
    help: "0 closed, 1 half open, 2 open.",
    labels: ["model"],
    *read() {
      const { models = [], secondTier } = read() ?? {}
      for (const { modelId: model, breaker } of secondTier ? [...models, secondTier] : models) {
        yield [{ model }, BREAKER_STATES[breaker]]
      }
    },
  })
}

function exposeQuality(registry: Registry, models: Models): void {
  gauge(registry, {
    name: "cerberus_model_confidence_ratio",
    help: "Mean confidence of the answers of a model.",
    labels: ["model", "arm"],
    *read() {
      for (const { modelId: model, arm, confidenceMean } of models()) {
        if (confidenceMean !== null) yield [{ model, arm }, confidenceMean]
      }
    },
  })
  gauge(registry, {
    name: "cerberus_model_drift_psi",
    help: "Population stability index of P(attack) against the population at registration, or what the other model of a trial says.",
    labels: ["model", "reference"],
    *read() {
      for (const { modelId: model, driftFromRegistration, driftFromReference } of models()) {
        const registration = driftFromRegistration
        if (registration !== null) yield [{ model, reference: "registration" }, registration]
        if (driftFromReference !== null) yield [{ model, reference: "trial" }, driftFromReference]
      }
    },
  })
  counter(registry, {
    name: "cerberus_model_false_positive_reports_total",
    help: "False-positive reports about answers of a model.",
    labels: ["model"],
    read: () =>
      models().map(({ modelId: model, falsePositiveReports }) => [{ model }, falsePositiveReports]),
  })
  gauge(registry, {
    name: "cerberus_model_feedback_precision_ratio",
    help: "Share of a model's attack verdicts that nobody has reported as wrong.",
    labels: ["model"],
    *read() {
      for (const { modelId: model, feedbackPrecision } of models()) {
        if (feedbackPrecision !== null) yield [{ model }, feedbackPrecision]
      }
    },
  })
}

function exposeTrial(registry: Registry, read: () => ModelsReading | undefined): void {
  counter(registry, {
    name: "cerberus_model_comparisons_total",
    help: "Payloads on which a model on trial and its reference were compared, by outcome.",
    labels: ["outcome"],
    *read() {
      const { compared = 0, disagreed = 0 } = read()?.trial ?? {}
      yield [{ outcome: "agree" }, compared - disagreed]
      yield [{ outcome: "disagree" }, disagreed]
      yield [{ outcome: "skipped" }, read()?.skippedComparisons ?? 0]
    },
  })
  gauge(registry, {
    name: "cerberus_model_guard_evidence_ratio",
    help: "Evidence of a guard against the model on trial; it is taken back at 1.",
    labels: ["guard"],
    read: () => (read()?.trial?.guards ?? []).map(([guard, share]) => [{ guard }, share]),
  })
}
