import type { ServedModelHealth } from "../../api/model-operations.ts"
import { COUNTED_CLASSES, classIndex } from "../../ml/serving/arm-meter.ts"
import { populationStability } from "../../ml/serving/population-stability.ts"
import type {
  ModelReport,
  SecondTierReport,
  TrafficReport,
} from "../../ml/serving/traffic-report.ts"
import { GUARD_NAMES, type TrialGuards } from "../../ml/serving/trial-guards.ts"
import type { TrafficPlan } from "../../model-traffic.ts"
import { percentOf } from "./model-descriptions.ts"
import type { EndedTrial } from "./traffic-reports.ts"

const BENIGN = classIndex("benign")

interface GaugeParts {
  readonly plan: TrafficPlan
  readonly report: TrafficReport
  /** The same of all processes: reports about answers come to one of them alone. */
  readonly everywhere: TrafficReport
  readonly ended: EndedTrial | undefined
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
    secondTier: report.secondTier,
    skippedComparisons: report.skippedComparisons,
  }
}

function modelGauge({ modelId, counts, breaker }: ModelReport, parts: GaugeParts) {
  const answers = Object.fromEntries(
    COUNTED_CLASSES.map((name, index) => [name, counts.classes[index] ?? 0]),
  )
  const answered = total(counts.classes)
  const arm = armOf(modelId, parts.plan)
  return {
    modelId,
    arm,
    percent: percentOf(modelId, parts.plan),
    answers,
    confidenceMean: answered === 0 ? null : counts.confidenceSum / answered,
    errors: counts.errors,
    degraded: counts.degraded,
    calls: counts.calls,
    callSeconds: counts.callMsSum / 1_000,
    breaker,
    falsePositiveReports: parts.reported.get(modelId) ?? 0,
    feedbackPrecision: feedbackPrecision(modelId, parts),
    driftFromRegistration:
      populationStability(parts.referenceScores.get(modelId) ?? [], counts.scores) ?? null,
    driftFromReference: driftFromReference(modelId, parts),
  }
}

/** Share of its attack verdicts that nobody has reported as wrong; null before the first report. */
function feedbackPrecision(modelId: string, { everywhere, reported }: GaugeParts): number | null {
  const reports = reported.get(modelId)
  if (reports === undefined) return null
  const { classes = [] } =
    everywhere.models.find((model) => model.modelId === modelId)?.counts ?? {}
  const attacks = total(classes) - (classes[BENIGN] ?? 0)
  return attacks === 0 ? null : Math.max(0, 1 - reports / attacks)
}

/** Of the model on trial, on the payloads that both have judged. */
function driftFromReference(modelId: string, { plan, report }: GaugeParts): number | null {
  if (plan.trial?.modelId !== modelId || report.trial === undefined) return null
  const { reference, trial } = report.trial.scores
  return populationStability(reference, trial) ?? null
}

type Arm = "live" | "canary" | "shadow" | "standby"

function armOf(modelId: string, { live, trial }: TrafficPlan): Arm {
  if (modelId === live) return "live"
  if (modelId !== trial?.modelId) return "standby"
  return trial.mode === "shadow" ? "shadow" : "canary"
}

/** The same of one model, for whoever asks about it; null where it is not loaded. */
export function describeTraffic(modelId: string, parts: GaugeParts) {
  const { secondTier } = parts.report
  if (secondTier?.modelId === modelId) return describeSecondTier(secondTier, parts.plan)
  const gauge = modelGauges(parts).models.find((each) => each.modelId === modelId)
  const trial = describeTrial(modelId, parts)
  if (gauge === undefined) return trial && { trial }
  return {
    arm: gauge.arm,
    canary_percent: gauge.percent,
    circuit_breaker: gauge.breaker,
    answers_by_class: gauge.answers,
    confidence_mean: gauge.confidenceMean,
    errors: gauge.errors,
    degraded: gauge.degraded,
    latency_ms_mean: gauge.calls === 0 ? null : (gauge.callSeconds * 1_000) / gauge.calls,
    false_positive_reports: gauge.falsePositiveReports,
    feedback_precision: gauge.feedbackPrecision,
    drift_psi: { registration: gauge.driftFromRegistration, reference: gauge.driftFromReference },
    trial,
  }
}

/** Of the trial that goes on, or of the last one that is over; null where the model had neither. */
function describeTrial(modelId: string, { plan, report, guards, ended }: GaugeParts) {
  if (plan.trial?.modelId === modelId && report.trial !== undefined) {
    const evidence = GUARD_NAMES.map((name) => [name, guards?.evidence(name) ?? 0])
    return {
      ...{ is_over: false, reference: plan.trial.referenceId },
      ...{ agreement: report.trial.agreement, disagreements: report.trial.examples },
      guards: Object.fromEntries(evidence),
    }
  }
  if (ended?.modelId !== modelId) return null
  const { referenceId, seen } = ended
  const { agreement, examples: disagreements } = seen
  return { is_over: true, reference: referenceId, agreement, disagreements }
}

function describeSecondTier(
  { breaker, waiting, trial }: SecondTierReport,
  { live, secondTierPercent = 100 }: TrafficPlan,
) {
  return {
    canary_percent: secondTierPercent,
    circuit_breaker: breaker,
    waiting,
    trial: trial
      ? { reference: live, agreement: trial.agreement, disagreements: trial.examples }
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

function total(counts: readonly number[]): number {
  return counts.reduce((sum, each) => sum + each, 0)
}
