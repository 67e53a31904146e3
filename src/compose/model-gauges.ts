import type { ArmCounts } from "../ml/serving/arm-meter.ts"
import { COUNTED_CLASSES } from "../ml/serving/arm-meter.ts"
import type { LoadedModel } from "../ml/serving/load-served-model.ts"
import { populationStability } from "../ml/serving/population-stability.ts"
import type { Traffic } from "../ml/serving/traffic-classifier.ts"
import type { TrialComparison } from "../ml/serving/trial-comparison.ts"
import { GUARD_NAMES, type TrialGuards } from "../ml/serving/trial-guards.ts"
import type { TrafficPlan } from "../model-traffic.ts"

interface GaugeParts {
  readonly plan: TrafficPlan
  readonly loaded: readonly LoadedModel[]
  readonly comparison: TrialComparison | undefined
  readonly guards: TrialGuards | undefined
  /** False-positive reports by model id. */
  readonly reported: ReadonlyMap<string, number>
  readonly skipped: number
}

export type ModelGauges = ReturnType<typeof modelGauges>

/** What the loaded models do, in numbers; the metrics are read from it. */
export function modelGauges(parts: GaugeParts) {
  const { plan, loaded, comparison, guards, skipped } = parts
  const live = loaded.find(({ modelId }) => modelId === plan.live)?.meter.counts()
  return {
    models: loaded.map((model) => modelGauge(model, parts, live)),
    trial: comparison && {
      ...comparison.agreement(),
      guards: GUARD_NAMES.map((name) => [name, guards?.evidence(name) ?? 0] as const),
    },
    skippedComparisons: skipped,
  }
}

function modelGauge(model: LoadedModel, parts: GaugeParts, live: ArmCounts | undefined) {
  const { modelId, meter, breaker, referenceScores } = model
  const counts = meter.counts()
  const answers = Object.fromEntries(
    COUNTED_CLASSES.map((name, index) => [name, counts.classes[index] ?? 0]),
  )
  const answered = counts.classes.reduce((sum, each) => sum + each, 0)
  const attacks = answered - (answers.benign ?? 0)
  const reports = parts.reported.get(modelId) ?? 0
  const arm = armOf(modelId, parts.plan)
  return {
    modelId,
    arm,
    percent: percentOf(arm, parts.plan),
    answers,
    confidenceMean: answered === 0 ? null : counts.confidenceSum / answered,
    errors: counts.errors,
    degraded: counts.degraded,
    latencyMsMean: meanLatency(counts),
    breaker: breaker.state,
    falsePositiveReports: reports,
    /** Share of its attack verdicts that nobody has reported as wrong; null before the first. */
    feedbackPrecision: attacks === 0 ? null : Math.max(0, 1 - reports / attacks),
    driftFromRegistration: populationStability(referenceScores, counts.scores) ?? null,
    driftFromLive:
      live === undefined ? null : (populationStability(live.scores, counts.scores) ?? null),
  }
}

export type Arm = "live" | "canary" | "shadow" | "standby"

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
export function describeTraffic(modelId: string, gauges: ModelGauges, traffic: Traffic) {
  const gauge = gauges.models.find((each) => each.modelId === modelId)
  if (gauge === undefined) return null
  const trial = traffic.trial?.model.modelId === modelId ? traffic.trial : undefined
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
    trial: trial && {
      reference: trial.reference.modelId,
      agreement: trial.comparison.agreement(),
      disagreements: trial.comparison.examples(),
      guards: Object.fromEntries(gauges.trial?.guards ?? []),
    },
  }
}

function meanLatency({ latencies, latencyMsSum }: ArmCounts): number | null {
  const calls = latencies.reduce((sum, each) => sum + each, 0)
  return calls === 0 ? null : latencyMsSum / calls
}
