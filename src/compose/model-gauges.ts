import type { ServedModelHealth } from "../api/model-operations.ts"
import { type ArmCounts, COUNTED_CLASSES } from "../ml/serving/arm-meter.ts"
import { populationStability } from "../ml/serving/population-stability.ts"
import type { ModelReport, TrafficReport } from "../ml/serving/traffic-report.ts"
import { GUARD_NAMES, type TrialGuards } from "../ml/serving/trial-guards.ts"
import type { TrafficPlan } from "../model-traffic.ts"

interface GaugeParts {
  readonly plan: TrafficPlan
  readonly report: TrafficReport
  /** Of each loaded model, by id: the population that its drift is measured against. */
  readonly referenceScores: ReadonlyMap<string, readonly number[]>
  readonly guards: TrialGuards | undefined
  /** False-positive reports by model id. */
  readonly reported: ReadonlyMap<string, number>
}

export type ModelGauges = ReturnType<typeof modelGauges>

/** What the loaded models do, in numbers; the metrics are read from it. */
export function modelGauges(parts: GaugeParts) {
  const { report, guards } = parts
  return {
    models: report.models.map((model) => modelGauge(model, parts)),
    trial: report.trial && {
      ...report.trial.agreement,
      guards: GUARD_NAMES.map((name) => [name, guards?.evidence(name) ?? 0] as const),
    },
    skippedComparisons: report.skippedComparisons,
  }
}

function modelGauge({ modelId, counts, breaker }: ModelReport, parts: GaugeParts) {
  const answers = Object.fromEntries(
    COUNTED_CLASSES.map((name, index) => [name, counts.classes[index] ?? 0]),
  )
  const answered = total(counts.classes)
  const attacks = answered - (answers.benign ?? 0)
  const reports = parts.reported.get(modelId) ?? 0
  const arm = armOf(modelId, parts.plan)
  const live = parts.report.models.find((model) => model.modelId === parts.plan.live)
  const drift = (reference: readonly number[] | undefined) =>
    reference === undefined ? null : (populationStability(reference, counts.scores) ?? null)
  return {
    modelId,
    arm,
    percent: percentOf(arm, parts.plan),
    answers,
    confidenceMean: answered === 0 ? null : counts.confidenceSum / answered,
    errors: counts.errors,
    degraded: counts.degraded,
    latencyMsMean: meanLatency(counts),
    breaker,
    falsePositiveReports: reports,
    /** Share of its attack verdicts that nobody has reported as wrong; null before the first. */
    feedbackPrecision: attacks === 0 ? null : Math.max(0, 1 - reports / attacks),
    driftFromRegistration: drift(parts.referenceScores.get(modelId)),
    driftFromLive: drift(live?.counts.scores),
  }
}

type Arm = "live" | "canary" | "shadow" | "standby"

function armOf(modelId: string, { live, trial }: TrafficPlan): Arm {
  if (modelId === live) return "live"
  if (modelId !== trial?.modelId) return "standby"
  return trial.mode === "shadow" ? "shadow" : "canary"
}

function percentOf(arm: Arm, { trial }: TrafficPlan): number {
  const taken = trial?.mode === "canary" ? trial.percent : 0
  return arm === "live" ? 100 - taken : arm === "canary" ? taken : 0
}

/** The same of one model, for whoever asks about it; null where it is not loaded. */
export function describeTraffic(modelId: string, gauges: ModelGauges, parts: GaugeParts) {
  const gauge = gauges.models.find((each) => each.modelId === modelId)
  if (gauge === undefined) return null
  const { plan, report } = parts
  return {
    arm: gauge.arm,
    canary_percent: gauge.percent,
    circuit_breaker: gauge.breaker,
    answers_by_class: gauge.answers,
    confidence_mean: gauge.confidenceMean,
    errors: gauge.errors,
    degraded: gauge.degraded,
    latency_ms_mean: gauge.latencyMsMean,
    false_positive_reports: gauge.falsePositiveReports,
    feedback_precision: gauge.feedbackPrecision,
    drift_psi: { registration: gauge.driftFromRegistration, live: gauge.driftFromLive },
    trial:
      report.trial && plan.trial?.modelId === modelId
        ? {
            reference: plan.trial.referenceId,
            agreement: report.trial.agreement,
            disagreements: report.trial.examples,
            guards: Object.fromEntries(gauges.trial?.guards ?? []),
          }
        : null,
  }
}

/** The live model first. */
export function healthOfModels(
  report: TrafficReport,
  { live }: TrafficPlan,
): readonly ServedModelHealth[] {
  return report.models
    .map(({ modelId, breaker, errorRate, counts }) => {
      return { modelId, breaker, errorRate, degraded: counts.degraded }
    })
    .sort((one, other) => Number(other.modelId === live) - Number(one.modelId === live))
}

function meanLatency({ latencies, latencyMsSum }: ArmCounts): number | null {
  const calls = total(latencies)
  return calls === 0 ? null : latencyMsSum / calls
}

function total(counts: readonly number[]): number {
  return counts.reduce((sum, each) => sum + each, 0)
}
