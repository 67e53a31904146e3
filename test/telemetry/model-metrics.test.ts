import { expect, test } from "bun:test"
import type { ModelsReading } from "../../src/telemetry/model-metrics.ts"
import { createTelemetry } from "../../src/telemetry.ts"

const model = {
  ...{ modelId: "m/2", arm: "canary", percent: 10, answers: { xss: 3, benign: 5 } },
  ...{ confidenceMean: 0.9, errors: 1, degraded: 2, breaker: "half-open" as const },
  ...{ falsePositiveReports: 4, feedbackPrecision: 0.25 },
  ...{ driftFromRegistration: 0.3, driftFromReference: null },
  ...{ calls: 6, callSeconds: 0.5 },
}
const reading: ModelsReading = {
  models: [model],
  trial: { compared: 10, disagreed: 4, guards: [["errors", 0.5]] },
  skippedComparisons: 6,
  secondTier: { modelId: "deep/1", breaker: "open" },
}

test("watchModels shows what the models do now, and nothing of one that is gone", async () => {
  const telemetry = createTelemetry()
  telemetry.close()
  let now: ModelsReading = reading
  telemetry.watchModels(() => now)
  const before = await telemetry.render()
  for (const line of [
    'cerberus_model_answers_total{model="m/2",arm="canary",class="xss"} 3',
    'cerberus_model_errors_total{model="m/2",arm="canary"} 1',
    'cerberus_model_degraded_total{model="m/2",arm="canary"} 2',
    'cerberus_model_traffic_ratio{model="m/2",arm="canary"} 0.1',
    'cerberus_model_circuit_breaker_state{model="m/2"} 1',
    'cerberus_model_circuit_breaker_state{model="deep/1"} 2',
    'cerberus_model_calls_total{model="m/2",arm="canary"} 6',
    'cerberus_model_call_seconds_total{model="m/2",arm="canary"} 0.5',
    'cerberus_model_drift_psi{model="m/2",reference="registration"} 0.3',
    'cerberus_model_feedback_precision_ratio{model="m/2"} 0.25',
    'cerberus_model_comparisons_total{outcome="agree"} 6',
    'cerberus_model_comparisons_total{outcome="skipped"} 6',
    'cerberus_model_guard_evidence_ratio{guard="errors"} 0.5',
  ]) {
    expect(before).toContain(line)
  }
  expect(before).not.toContain('reference="trial"')
  expect(await telemetry.render()).toContain('class="xss"} 3')
  now = { models: [], trial: undefined, skippedComparisons: 6, secondTier: undefined }
  expect(await telemetry.render()).not.toContain("m/2")
})

test("modelRolledBack counts by guard, and shows guards that never tripped", async () => {
  const telemetry = createTelemetry()
  telemetry.close()
  telemetry.modelRolledBack("errors")
  const text = await telemetry.render()
  expect(text).toContain('cerberus_model_rollbacks_total{guard="errors"} 1')
  expect(text).toContain('cerberus_model_rollbacks_total{guard="latency"} 0')
})
