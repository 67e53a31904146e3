import { afterEach, expect, test } from "bun:test"
import type { EngineObserver } from "../src/stream/types.ts"
import { createTelemetry, type Telemetry } from "../src/telemetry.ts"

const opened: Telemetry[] = []

function telemetry(): Telemetry {
  const created = createTelemetry({ version: "1.2.3" })
  opened.push(created)
  return created
}

afterEach(() => {
  for (const one of opened.splice(0)) one.close()
})

/** The value of one series, undefined where it is absent. */
async function sample(from: Telemetry, series: string): Promise<number | undefined> {
  const line = (await from.render()).split("\n").find((text) => text.startsWith(`${series} `))
  return line === undefined ? undefined : Number(line.slice(series.length + 1))
}

test("createTelemetry satisfies the engine's EngineObserver", async () => {
  const counts = telemetry()
  const observer: EngineObserver = counts
  observer.operatorDone("verify_integrity", "ok", 0.002)
  observer.retried("fetch_evidence", "UNAVAILABLE")
  observer.committed({ topic: "events", partition: 3 }, 42n)
  const series = 'cerberus_operator_latency_seconds_count{operator="verify_integrity",outcome="ok"}'
  expect(await sample(counts, series)).toBe(1)
  expect(
    await sample(
      counts,
      'cerberus_operator_retries_total{operator="fetch_evidence",code="UNAVAILABLE"}',
    ),
  ).toBe(1)
  expect(await sample(counts, 'cerberus_committed_offset{topic="events",partition="3"}')).toBe(42)
})

test("createTelemetry exposes every name that existing dashboards read", async () => {
  const counts = telemetry()
  counts.inferred("payload-linear/1", 0.0002)
  counts.verdictReached("tag")
  counts.cacheLookedUp("prediction", true)
  counts.simulated({
    ...{ verdict: "exploit_possible", class: "xss", driver: "docker", seconds: 0.2 },
  })
  counts.ruleGenerated()
  counts.ruleApplied()
  counts.requested()
  counts.kafkaMessage("events.verdicts", "produced")
  counts.evidenceOperation("fetch", "ok")
  const expected: Record<string, number> = {
    'cerberus_sentinel_inference_latency_seconds_count{model="payload-linear/1"}': 1,
    'cerberus_sentinel_predictions_total{verdict="tag"}': 1,
    'cerberus_sentinel_predictions_total{verdict="simulate"}': 0,
    'cerberus_sentinel_cache_hits_total{cache_type="prediction",status="hit"}': 1,
    'cerberus_sentinel_cache_hits_total{cache_type="payload",status="miss"}': 0,
    'cerberus_simulations_total{verdict="exploit_possible"}': 1,
    cerberus_simulation_duration_seconds_count: 1,
    cerberus_rules_generated_total: 1,
    cerberus_rules_applied_total: 1,
    'cerberus_requests_total{service="sentinel"}': 1,
    'cerberus_kafka_messages_total{service="sentinel",topic="events.verdicts",status="produced"}': 1,
    'cerberus_evidence_operations_total{service="sentinel",operation="fetch",status="ok"}': 1,
  }
  for (const [series, value] of Object.entries(expected)) {
    expect([series, await sample(counts, series)]).toEqual([series, value])
  }
})

test("watchEngine reads the engine at each scrape and drops queues that are gone", async () => {
  const counts = telemetry()
  let depth: Record<string, number> = { fetch_evidence: 4 }
  counts.watchEngine(() => ({
    inFlight: 7,
    queueDepth: depth,
    lag: [{ topic: "events", partition: 0, records: 19, seconds: 7, heldRatio: 0.25 }],
    operators: [{ operator: "fetch_evidence", busy: 2, utilisation: 0.5, backpressure: 0.1 }],
  }))
  expect(await sample(counts, "cerberus_records_in_flight")).toBe(7)
  expect(await sample(counts, 'cerberus_queue_depth{queue="fetch_evidence"}')).toBe(4)
  expect(await sample(counts, 'cerberus_kafka_lag{topic="events",partition="0"}')).toBe(19)
  const perPartition = '{topic="events",partition="0"}'
  expect(await sample(counts, `cerberus_kafka_lag_seconds${perPartition}`)).toBe(7)
  expect(await sample(counts, `cerberus_partition_held_ratio${perPartition}`)).toBe(0.25)
  const perOperator = '{operator="fetch_evidence"}'
  expect(await sample(counts, `cerberus_operator_utilisation_ratio${perOperator}`)).toBe(0.5)
  expect(await sample(counts, `cerberus_operator_backpressure_ratio${perOperator}`)).toBe(0.1)
  depth = {}
  expect(await sample(counts, 'cerberus_queue_depth{queue="fetch_evidence"}')).toBeUndefined()
})

test("watchRules reads rules by state, and whether Gatekeeper disagrees, at each scrape", async () => {
  const counts = telemetry()
  let isDrifting: boolean | undefined = true
  counts.watchRules(() => ({ states: { active: 3, pending_review: 0 }, isDrifting }))
  counts.ruleRefused("RULE_COVERED")
  expect(await sample(counts, 'cerberus_rules{state="active"}')).toBe(3)
  expect(await sample(counts, 'cerberus_rules{state="pending_review"}')).toBe(0)
  expect(await sample(counts, 'cerberus_rules_refused_total{code="RULE_COVERED"}')).toBe(1)
  expect(await sample(counts, 'cerberus_rules_refused_total{code="WORKER_FAILED"}')).toBe(0)
  expect(await sample(counts, "cerberus_gatekeeper_drift")).toBe(1)
  // without a Gatekeeper nothing can disagree
  isDrifting = undefined
  expect(await sample(counts, "cerberus_gatekeeper_drift")).toBe(0)
})

test("createTelemetry bounds the values of a label and counts the rest as other", async () => {
  const counts = telemetry()
  for (let index = 0; index < 1_000; index++) {
    counts.deadLettered({ code: `CODE_${index}`, operator: "decode_event" })
  }
  const queueDepth = Object.fromEntries(Array.from({ length: 1_000 }, (_, at) => [`q${at}`, at]))
  counts.watchEngine(() => ({ inFlight: 0, queueDepth, lag: [], operators: [] }))
  const text = await counts.render()
  expect(text.match(/^cerberus_dead_letters_total\{/gm)?.length).toBe(101)
  expect(text.match(/^cerberus_queue_depth\{/gm)?.length).toBe(101)
  expect(
    await sample(counts, 'cerberus_dead_letters_total{operator="decode_event",code="other"}'),
  ).toBe(900)
})

test("createTelemetry shows the build and what the process uses", async () => {
  const counts = telemetry()
  const text = await counts.render()
  expect(text).toContain('version="1.2.3"')
  expect(await sample(counts, "cerberus_process_resident_memory_bytes")).toBeGreaterThan(1_000_000)
  expect(await sample(counts, "cerberus_process_cpu_seconds_total")).toBeGreaterThan(0)
  expect(await sample(counts, "cerberus_event_loop_delay_seconds")).toBeGreaterThanOrEqual(0)
})

test("createTelemetry escapes what would break the text format out of a label", async () => {
  const counts = telemetry()
  counts.kafkaMessage('x"\n evil_total 1', "failed")
  expect(await counts.render()).not.toMatch(/^ ?evil_total/m)
})

test("watchSandbox reads pool, panic and driver at each scrape; what is inconclusive counts apart", async () => {
  const counts = telemetry()
  let isPanicked = false
  counts.watchSandbox(() => ({
    ...{
      driver: "docker",
      isPanicked,
      auditHead: { count: 7, hash: `00000000000ff${"0".repeat(51)}` },
    },
    pool: { xss: { ready: 2, busy: 1, replaced: 3 } },
  }))
  const timed = { class: "xss", driver: "docker", seconds: 0.2 }
  counts.simulated({ ...timed, verdict: "inconclusive", reason: "dialect" })
  expect(await sample(counts, 'cerberus_simulations_inconclusive_total{reason="dialect"}')).toBe(1)
  expect(await sample(counts, 'cerberus_simulations_total{verdict="exploit_possible"}')).toBe(0)
  expect(await sample(counts, 'cerberus_sandbox_available{driver="docker"}')).toBe(1)
  expect(await sample(counts, 'cerberus_sandbox_pool_hosts{class="xss",state="busy"}')).toBe(1)
  expect(await sample(counts, 'cerberus_sandbox_replaced_total{class="xss"}')).toBe(3)
  expect(await sample(counts, "cerberus_sandbox_audit_head")).toBe(255)
  isPanicked = true
  expect(await sample(counts, 'cerberus_sandbox_available{driver="docker"}')).toBe(0)
  expect(await sample(counts, "cerberus_sandbox_panicked")).toBe(1)
})
